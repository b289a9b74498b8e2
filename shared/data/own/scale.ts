import { arrayExamples } from '../array-examples.ts'
import { byteImages } from '../byte-images.ts'
import type { Normalisation } from '../dataset-spec.ts'
import type { ExampleSet } from '../example-set.ts'
import { areCategories } from './csv.ts'
import type { RawData, RawSplit } from './raw-data.ts'

/**
 * Mean and standard deviation over the training part of each channel (the last axis of an input), for
 * bytes of value / 255. Inputs that stand for a category stay 0 and 1, and so does what never varies:
 * mean 0, deviation 1 for the first; deviation 1 for the second.
 */
export function measureScale({ inputShape, columns, train }: RawData): Normalisation {
  const channels = inputShape.at(-1)!
  const { values } = train
  const unit = values instanceof Uint8Array ? 255 : 1
  const count = values.length / channels
  const mean = new Float64Array(channels)
  const squares = new Float64Array(channels)
  for (let i = 0; i < values.length; i++) mean[i % channels]! += values[i]! / unit / count
  // In a second pass, as the difference of large sums would lose small deviations.
  for (let i = 0; i < values.length; i++) {
    const difference = values[i]! / unit - mean[i % channels]!
    squares[i % channels]! += (difference * difference) / count
  }
  const isCategory = columns === null ? [] : areCategories(columns)
  const isConstant = (c: number) =>
    !(Math.sqrt(squares[c]!) > 1e-12 * Math.max(1, Math.abs(mean[c]!)))
  return {
    mean: Array.from(mean, (value, c) => (isCategory[c] === true ? 0 : value)),
    std: Array.from(squares, (value, c) =>
      isCategory[c] === true || isConstant(c) ? 1 : Math.sqrt(value),
    ),
  }
}

/** The channels, or inputs of a table, that never vary in the training part, by name. */
export function constantsOf({ inputShape, columns, train }: RawData): string[] {
  const channels = inputShape.at(-1)!
  const { values } = train
  const varies = new Uint8Array(channels)
  for (let i = channels; i < values.length; i++) {
    if (values[i] !== values[i % channels]) varies[i % channels] = 1
  }
  const names =
    columns?.flatMap(({ name, categories }) => categories?.map(() => null) ?? [name]) ??
    Array.from({ length: channels }, (_, c) => (channels === 1 ? 'the one channel' : `number ${c}`))
  return names.filter((name, c) => name !== null && varies[c] === 0) as string[]
}

/**
 * Examples as a network reads them: (value - mean) / std of the channel, bytes as value / 255.
 *
 * @param split borrowed for as long as the result is used; bytes are not copied
 */
export function scaleSplit(
  { inputShape, numClasses }: Pick<RawData, 'inputShape' | 'numClasses'>,
  { values, labels }: RawSplit,
  { mean, std }: Normalisation,
): ExampleSet {
  if (values instanceof Uint8Array) {
    const [height, width, channels] = inputShape
    const shape = [height!, width!, channels!] as const
    return byteImages({ inputShape: shape, numClasses, pixels: values, labels, mean, std })
  }
  const channels = inputShape.at(-1)!
  const inputs = values.map((value, i) => (value - mean[i % channels]!) / std[i % channels]!)
  return arrayExamples({ inputShape, numClasses }, inputs, labels)
}

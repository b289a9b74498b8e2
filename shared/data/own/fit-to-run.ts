import { GraftError } from '../../errors.ts'
import { countClasses } from '../subset.ts'
import type { SplitData } from './hold-out.ts'
import type { RawData, RawSplit } from './raw-data.ts'

/** What a run fixes about everybody's data. */
export interface RunShape {
  readonly inputShape: readonly number[]
  readonly numClasses: number
  /** By class number; absent where the run has numbers only. */
  readonly classNames?: readonly string[] | undefined
}

/**
 * The same data with the run's classes: by name where both sides have names, else by number.
 *
 * @param where the data are, for messages
 * @throws GraftError GRAFT_DATA_MISMATCH when inputs are of another shape, or a class is not the run's
 */
export function fitToRun(data: RawData, run: RunShape, where: string): RawData {
  if (String(data.inputShape) !== String(run.inputShape)) {
    throw new GraftError(
      'GRAFT_DATA_MISMATCH',
      `${where} has inputs of shape [${data.inputShape.join(', ')}], and the run reads [${run.inputShape.join(', ')}].${imageHint(data, run)}`,
    )
  }
  const target = classTarget(data, run, where)
  const renumber = ({ values, labels }: RawSplit): RawSplit => ({
    values,
    labels: labels.map((label) => target[label]!),
  })
  return {
    ...data,
    numClasses: run.numClasses,
    classNames: run.classNames ?? null,
    train: renumber(data.train),
    test: data.test && renumber(data.test),
  }
}

/** The run's number of each class of the data, [class of the data]. */
function classTarget(data: RawData, run: RunShape, where: string): Int32Array {
  const { classNames, numClasses } = data
  if (classNames !== null && run.classNames !== undefined) {
    const known = run.classNames
    const strangers = classNames.filter((name) => !known.includes(name))
    if (strangers.length > 0) {
      throw new GraftError(
        'GRAFT_DATA_MISMATCH',
        `${where} has the classes ${some(strangers)}, which the run does not have; it has ${some(known)}.`,
      )
    }
    return Int32Array.from(classNames, (name) => known.indexOf(name))
  }
  if (numClasses > run.numClasses) {
    throw new GraftError(
      'GRAFT_DATA_MISMATCH',
      `${where} has ${numClasses} classes, and the run tells ${run.numClasses} apart.`,
    )
  }
  return Int32Array.from({ length: numClasses }, (_, label) => label)
}

/** Only a folder of images can be read in another shape. */
function imageHint({ kind }: RawData, { inputShape }: RunShape): string {
  const [height, width, channels] = inputShape
  if (kind !== 'folder of images' || channels === undefined) return ''
  return ` Give --image-size ${height ?? 0}x${width ?? 0} --channels ${channels} to read the images so.`
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, 10).join(', ')
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown
}

/** What looks odd about the classes, a sentence each. */
export function classWarnings(data: SplitData): string[] {
  const name = (c: number) => data.classNames?.[c] ?? String(c)
  const [train, test] = [data.train, data.test].map(({ labels }) =>
    countClasses({ labels, numClasses: data.numClasses }),
  )
  const absent = (counts: readonly number[], other: readonly number[]) =>
    counts.flatMap((count, c) => (count === 0 && other[c]! > 0 ? [name(c)] : []))
  const untrained = absent(train!, test!)
  const unjudged = absent(test!, train!)
  const present = train!.filter((count) => count > 0)
  const [least, most] = [Math.min(...present), Math.max(...present)]
  return [
    ...(untrained.length > 0 ? [`Only the test part has the classes ${some(untrained)}.`] : []),
    ...(unjudged.length > 0 ? [`The test part has no example of ${some(unjudged)}.`] : []),
    ...(most > 10 * least
      ? [`Classes are uneven: the largest has ${most} training examples, the smallest ${least}.`]
      : []),
  ]
}

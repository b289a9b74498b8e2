import type { Parent } from '../../server/fusion/strategy.ts'
import type { Level, Member } from '../../shared/model/levels.ts'
import { type NamedTensor, sizeOf, type Weights } from '../../shared/model/weights.ts'
import { createRng, type Rng } from '../../shared/numeric/rng.ts'

/** Levels of a dense network with biases; `widths` begins with the inputs and ends with the classes. */
export function denseLevels(widths: readonly number[]): Level[] {
  return widths.slice(1).map((width, index) => {
    const layer = `fc${index + 1}`
    const isHead = index === widths.length - 2
    return {
      index,
      layer,
      width,
      isHead,
      members: [...produced(layer, 1), ...(isHead ? [] : [reader(`fc${index + 2}.kernel`, 0)])],
    }
  })
}

/** conv1 (3x3) - bn1 - flatten of `positions` - fc1, as `[channels in, channels, classes]`. */
export function convLevels(
  [, channels, classes]: readonly [number, number, number],
  positions: number,
): Level[] {
  const normalised = (['gamma', 'beta', 'movingMean', 'movingVariance'] as const).map((role) => ({
    weight: `bn1.${role}`,
    role,
    axis: 0,
    repeats: 1,
  }))
  return [
    {
      index: 0,
      layer: 'conv1',
      width: channels,
      isHead: false,
      members: [...produced('conv1', 3), ...normalised, reader('fc1.kernel', 0, positions)],
    },
    { index: 1, layer: 'fc1', width: classes, isHead: true, members: produced('fc1', 1) },
  ]
}

/** Seeded weights in [-1, 1) of a dense network; see {@link denseLevels}. */
export function denseWeights(widths: readonly number[], rng: Rng): Weights {
  return widths
    .slice(1)
    .flatMap((width, i) => [
      randomTensor(`fc${i + 1}.kernel`, [widths[i]!, width], rng),
      randomTensor(`fc${i + 1}.bias`, [width], rng),
    ])
}

/** Seeded weights in [-1, 1) of {@link convLevels}'s network. */
export function convWeights(
  [inputs, channels, classes]: readonly [number, number, number],
  positions: number,
  rng: Rng,
): Weights {
  return [
    randomTensor('conv1.kernel', [3, 3, inputs, channels], rng),
    randomTensor('conv1.bias', [channels], rng),
    ...['gamma', 'beta', 'movingMean', 'movingVariance'].map((role) =>
      randomTensor(`bn1.${role}`, [channels], rng),
    ),
    randomTensor('fc1.kernel', [positions * channels, classes], rng),
    randomTensor('fc1.bias', [classes], rng),
  ]
}

/** A parent with weights that are copied at every load, so that a change of one is seen in none. */
export function parentOf(id: string, weights: Weights, known: Partial<Parent> = {}): Parent {
  const classes = weights.at(-1)!.data.length
  return {
    id,
    numExamples: 10,
    classCounts: Array.from({ length: classes }, () => 10 / classes),
    scores: [],
    load: async () => copyOf(weights),
    ...known,
  }
}

/** Dense parents of the same widths, named so that they are in order: a, b, ... */
export function denseParents(widths: readonly number[], count: number, seed = 'parents'): Parent[] {
  return Array.from({ length: count }, (_, k) => {
    const id = String.fromCharCode(97 + k)
    return parentOf(id, denseWeights(widths, createRng(seed).split(id)))
  })
}

export const copyOf = (weights: Weights): NamedTensor[] =>
  weights.map(({ name, shape, data }) => ({ name, shape, data: data.slice() }))

/** Logits of a dense network with ReLUs between its layers, in slow float64. */
export function denseLogits(weights: Weights, input: readonly number[]): number[] {
  const layers = weights.filter(({ name }) => name.endsWith('.kernel'))
  return layers.reduce(
    (values, kernel, l) => {
      const bias = weights.find(({ name }) => name === kernel.name.replace('kernel', 'bias'))!
      const outputs = kernel.shape[1]!
      return Array.from({ length: outputs }, (_, j) => {
        const sum = values.reduce(
          (total, value, i) => total + value * kernel.data[i * outputs + j]!,
          bias.data[j]!,
        )
        return l === layers.length - 1 ? sum : Math.max(0, sum)
      })
    },
    [...input],
  )
}

function randomTensor(name: string, shape: readonly number[], rng: Rng): NamedTensor {
  return {
    name,
    shape,
    data: Float32Array.from({ length: sizeOf(shape) }, () => rng.next() * 2 - 1),
  }
}

function produced(layer: string, axis: number): Member[] {
  return [
    { weight: `${layer}.kernel`, role: 'kernel', axis, repeats: 1 },
    { weight: `${layer}.bias`, role: 'bias', axis: 0, repeats: 1 },
  ]
}

function reader(weight: string, axis: number, repeats = 1): Member {
  return { weight, role: 'reader', axis, repeats }
}

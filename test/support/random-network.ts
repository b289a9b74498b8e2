import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { PositionEmbedding } from '../../shared/model/layers/position-embedding.ts'
import { SelfAttention } from '../../shared/model/layers/self-attention.ts'
import { modelVariables } from '../../shared/model/model-variables.ts'
import { type NamedShape, sizeOf, type Weights, writeWeights } from '../../shared/model/weights.ts'
import { createRng, type Rng } from '../../shared/numeric/rng.ts'

/** Shape of one input of each sort; of tokens there are {@link VOCABULARY}. */
const INPUTS = { image: [6, 6, 2], sequence: [6, 3], vector: [5], tokens: [5] } as const
const VOCABULARY = 7
export const NUM_CLASSES = 3

/** How a random network comes about. It shrinks to a shorter one. */
export interface NetworkPlan {
  readonly input: keyof typeof INPUTS
  readonly steps: readonly Step[]
  /** Of the weights and the inputs. */
  readonly seed: string
}

interface Step extends Choice {
  readonly kind: StepKind
}

interface Choice {
  /** Which of the tensors so far it reads, counted from the last one. */
  readonly of: number
  /** Which settings it takes. */
  readonly size: number
}

type Tensor = tf.SymbolicTensor
type StepKind = keyof typeof STEPS

/** A layer or a block behind x; undefined where it doesn't suit x. */
type Grow = (x: Tensor, choice: Choice, so: Growing) => Tensor | undefined

/** A network while it is built. */
interface Growing {
  /** A name that no other layer has. */
  name(kind: string): string
  apply(layer: tf.layers.Layer, x: Tensor | Tensor[]): Tensor
  /** What steps can read. */
  readonly tensors: Tensor[]
  /** What some layer reads, by id. */
  readonly read: ReadonlySet<number>
}

const ACTIVATIONS = ['relu', 'tanh', 'sigmoid', 'elu', 'gelu', 'swish', 'relu6', 'selu'] as const

const STEPS = {
  /** A dense layer on vectors and sequences, a convolution on images. */
  kernel: (x, { size }, so) => kernel(x, 1 + size, so),
  strided: (x, { size }, so) =>
    rankOf(x) === 3
      ? so.apply(
          tf.layers.conv2d({
            name: so.name('strided'),
            filters: 2 + size,
            kernelSize: 3,
            strides: 2,
            padding: 'same',
            useBias: size > 1,
          }),
          x,
        )
      : undefined,
  dense: (x, { size }, so) =>
    so.apply(
      tf.layers.dense({
        name: so.name('dense'),
        units: 2 + size,
        activation: ACTIVATIONS[size]!,
      }),
      x,
    ),
  depthwise: (x, { size }, so) =>
    rankOf(x) === 3
      ? so.apply(
          tf.layers.depthwiseConv2d({
            name: so.name('depthwise'),
            kernelSize: 3,
            depthMultiplier: size === 3 ? 2 : 1,
            padding: 'same',
            useBias: size > 0,
          }),
          x,
        )
      : undefined,
  separable: (x, { size }, so) =>
    rankOf(x) === 3
      ? so.apply(
          tf.layers.separableConv2d({
            name: so.name('separable'),
            filters: 1 + size,
            kernelSize: 3,
            depthMultiplier: size === 3 ? 2 : 1,
            padding: 'same',
            activation: 'relu',
          }),
          x,
        )
      : undefined,
  batchNorm: (x, { size }, so) =>
    so.apply(
      tf.layers.batchNormalization({
        name: so.name('batchNorm'),
        scale: size !== 1,
        center: size !== 2,
      }),
      x,
    ),
  layerNorm: (x, _, so) =>
    so.apply(tf.layers.layerNormalization({ name: so.name('layerNorm') }), x),
  activation: (x, { of, size }, so) =>
    so.apply(
      tf.layers.activation({
        name: so.name('activation'),
        activation: ACTIVATIONS[(of + 2 * size) % ACTIVATIONS.length]!,
      }),
      x,
    ),
  pool: (x, { of, size }, so) => {
    const options = { name: so.name('pool'), padding: size > 1 ? 'same' : 'valid' } as const
    if (x.shape.slice(1, -1).some((places) => places! < 2)) return undefined
    if (rankOf(x) === 3) {
      const window = { ...options, poolSize: 2, strides: 1 + (of % 2) }
      return so.apply(
        size % 2 === 0 ? tf.layers.maxPooling2d(window) : tf.layers.averagePooling2d(window),
        x,
      )
    }
    if (rankOf(x) !== 2) return undefined
    const window = { ...options, poolSize: 2 }
    return so.apply(
      size % 2 === 0 ? tf.layers.maxPooling1d(window) : tf.layers.averagePooling1d(window),
      x,
    )
  },
  globalPool: (x, { size }, so) => globalPool(x, size, so),
  zeroPad: (x, _, so) =>
    rankOf(x) === 3 && x.shape[1]! < 8
      ? so.apply(
          tf.layers.zeroPadding2d({
            name: so.name('zeroPad'),
            padding: [
              [1, 0],
              [0, 2],
            ],
          }),
          x,
        )
      : undefined,
  flatten: (x, _, so) =>
    rankOf(x) > 1 ? so.apply(tf.layers.flatten({ name: so.name('flatten') }), x) : undefined,
  /** An image as one row a token, or back again. */
  reshape: (x, { size }, so) => {
    const [rows, ...others] = x.shape.slice(1) as number[]
    const shapes: Record<number, number[]> = {
      3: size > 1 ? [rows!, others[0]! * others[1]!] : [rows! * others[0]!, others[1]!],
      2: [rows!, 1, others[0]!],
      1: [1, 1, rows!],
    }
    const targetShape = shapes[rankOf(x)]!
    return so.apply(tf.layers.reshape({ name: so.name('reshape'), targetShape }), x)
  },
  dropout: (x, _, so) => so.apply(tf.layers.dropout({ name: so.name('dropout'), rate: 0.3 }), x),
  positions: (x, _, so) =>
    rankOf(x) === 1
      ? undefined
      : so.apply(new PositionEmbedding({ name: so.name('positions') }), x),
  attention: (x, { size }, so) =>
    rankOf(x) === 2 ? attention(x, { units: 1 + size, heads: 2 }, so) : undefined,
  /** x + f(x): another tensor of its shape where there is one, else a layer made for it. */
  add: (x, choice, so) =>
    so.apply(tf.layers.add({ name: so.name('add') }), [x, partner(x, choice, so)]),
  addThree: (x, choice, so) =>
    so.apply(tf.layers.add({ name: so.name('add') }), [
      x,
      kernel(x, widthOf(x), so),
      partner(x, choice, so),
    ]),
  /** x + [f(x), g(x)]: x's neurons fall into two groups. */
  addConcatenation: (x, { size }, so) => {
    const width = widthOf(x)
    if (width < 2) return undefined
    const first = 1 + (size % (width - 1))
    const parts = [kernel(x, first, so), kernel(x, width - first, so)]
    const both = so.apply(tf.layers.concatenate({ name: so.name('concatenate') }), parts)
    return so.apply(tf.layers.add({ name: so.name('add') }), [x, both])
  },
  multiply: (x, choice, so) =>
    so.apply(tf.layers.multiply({ name: so.name('multiply') }), [x, partner(x, choice, so)]),
  /** Squeeze and excite: a factor for each channel, of what is in all of them. */
  gate: (x, { size }, so) => {
    if (rankOf(x) !== 3) return undefined
    const squeezed = globalPool(x, size, so)!
    const excite = tf.layers.dense({
      name: so.name('gate'),
      units: widthOf(x),
      activation: 'sigmoid',
    })
    const gate = so.apply(excite, squeezed)
    const targetShape = [1, 1, widthOf(x)]
    const spread = so.apply(tf.layers.reshape({ name: so.name('spread'), targetShape }), gate)
    return so.apply(tf.layers.multiply({ name: so.name('multiply') }), [x, spread])
  },
  concatenate: (x, { size }, so) => {
    const fitting = othersThan(x, so).filter((other) => samePlaces(x, other))
    const other = fitting[size % fitting.length]
    // Concatenations of concatenations would double at each step.
    if (other === undefined || widthOf(x) + widthOf(other) > 24) return undefined
    return so.apply(tf.layers.concatenate({ name: so.name('concatenate') }), [x, other])
  },
} as const satisfies Record<string, Grow>

export const STEP_KINDS = Object.keys(STEPS) as StepKind[]

/**
 * Plans of small networks of every layer that Graft follows, whose paths part and meet again.
 *
 * @param without kinds of step that are not wanted, such as `layerNorm`, in which all neurons of a level meet
 */
export function networkPlans(without: readonly StepKind[] = []): fc.Arbitrary<NetworkPlan> {
  const step = fc.record({
    kind: fc.constantFrom(...STEP_KINDS.filter((kind) => !without.includes(kind))),
    of: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat(3) }),
    size: fc.nat(3),
  })
  return fc.record({
    input: fc.constantFrom(...(Object.keys(INPUTS) as (keyof typeof INPUTS)[])),
    steps: fc.array(step, { minLength: 1, maxLength: 9 }),
    seed: fc.string({ maxLength: 4 }),
  })
}

/**
 * Builds a planned network, its weights drawn at random: moving statistics too.
 * @returns a model the caller owns and disposes
 */
export function randomModel({ input, steps, seed }: NetworkPlan): tf.LayersModel {
  const inputs = tf.input({ shape: [...INPUTS[input]] })
  const so = growing()
  const { tensors, read } = so
  tensors.push(input === 'tokens' ? embed(inputs, so) : inputs)
  for (const step of steps) {
    const x = tensors[tensors.length - 1 - (step.of % tensors.length)]!
    const y = STEPS[step.kind](x, step, so)
    if (y !== undefined) tensors.push(y)
  }
  // Every path ends in the logits.
  const ends = tensors.filter(({ id }) => !read.has(id)).map((end, i) => asVector(end, i, so))
  const both =
    ends.length === 1 ? ends[0]! : so.apply(tf.layers.concatenate({ name: so.name('ends') }), ends)
  const head = so.apply(tf.layers.dense({ name: 'head', units: NUM_CLASSES }), both)
  const model = tf.model({ inputs, outputs: head })
  writeWeights(model, randomWeights(shapesOf(model), createRng(seed)))
  return model
}

/** Weights under which activations neither fade nor burst: what training would leave, in size. */
export function randomWeights(shapes: readonly NamedShape[], rng: Rng): Weights {
  return shapes.map(({ name, shape }) => {
    const stream = rng.split(name)
    const kind = name.slice(name.lastIndexOf('.') + 1)
    const fanIn = sizeOf(kind === 'depthwiseKernel' ? shape.slice(0, 2) : shape.slice(0, -1))
    const isAround1 = kind === 'gamma' || kind === 'movingVariance'
    const spread = kind.toLowerCase().endsWith('kernel') ? Math.sqrt(4 / fanIn) : 0.5
    const draw = () => (isAround1 ? 1 : 0) + (2 * stream.next() - 1) * spread
    return { name, shape, data: Float32Array.from({ length: sizeOf(shape) }, draw) }
  })
}

/** @returns inputs of a planned network, [batch, ...]; the caller owns them */
export function randomInputs({ input, seed }: NetworkPlan, batch: number): tf.Tensor {
  const shape = [batch, ...INPUTS[input]]
  const stream = createRng(seed).split('inputs')
  const draw = () =>
    input === 'tokens' ? Math.floor(stream.next() * VOCABULARY) : 4 * stream.next() - 2
  return tf.tensor(Float32Array.from({ length: sizeOf(shape) }, draw), shape)
}

// Helpers

function growing(): Growing {
  let layers = 0
  const read = new Set<number>()
  return {
    name: (kind) => `${kind}${++layers}`,
    apply(layer, x) {
      for (const { id } of [x].flat()) read.add(id)
      return layer.apply(x) as Tensor
    },
    tensors: [],
    read,
  }
}

const rankOf = ({ shape }: Tensor): number => shape.length - 1
const widthOf = ({ shape }: Tensor): number => shape.at(-1)!

function embed(indices: Tensor, so: Growing): Tensor {
  const name = so.name('embedding')
  return so.apply(tf.layers.embedding({ name, inputDim: VOCABULARY, outputDim: 4 }), indices)
}

function kernel(x: Tensor, width: number, so: Growing): Tensor {
  const name = so.name('kernel')
  const row = { name, filters: width, kernelSize: 3, padding: 'same' } as const
  switch (rankOf(x)) {
    case 3:
      return so.apply(tf.layers.conv2d(row), x)
    case 2:
      return so.apply(tf.layers.conv1d(row), x)
    default:
      return so.apply(tf.layers.dense({ name, units: width }), x)
  }
}

function attention(x: Tensor, of: { units: number; heads: number }, so: Growing): Tensor {
  const { units, heads } = of
  const layer = new SelfAttention({
    name: so.name('attention'),
    numHeads: heads,
    headDim: 2,
    units,
  })
  return so.apply(layer, x)
}

function globalPool(x: Tensor, size: number, so: Growing): Tensor | undefined {
  const options = { name: so.name('globalPool') }
  switch (rankOf(x)) {
    case 3:
      return so.apply(
        size % 2 === 0
          ? tf.layers.globalAveragePooling2d(options)
          : tf.layers.globalMaxPooling2d(options),
        x,
      )
    case 2:
      return so.apply(
        size % 2 === 0
          ? tf.layers.globalAveragePooling1d(options)
          : tf.layers.globalMaxPooling1d(options),
        x,
      )
    default:
      return undefined
  }
}

function partner(x: Tensor, { of, size }: Choice, so: Growing): Tensor {
  const fitting = othersThan(x, so).filter((other) => String(other.shape) === String(x.shape))
  return size > 0 && fitting.length > 0 ? fitting[of % fitting.length]! : kernel(x, widthOf(x), so)
}

/** Not x itself: tfjs's predict frees a tensor too early that one layer reads twice. */
const othersThan = (x: Tensor, { tensors }: Growing): Tensor[] =>
  tensors.filter((other) => other !== x)

const samePlaces = (a: Tensor, b: Tensor): boolean =>
  String(a.shape.slice(0, -1)) === String(b.shape.slice(0, -1))

function asVector(x: Tensor, i: number, so: Growing): Tensor {
  if (rankOf(x) === 1) return x
  const isSmall = sizeOf(x.shape.slice(1) as number[]) < 200
  return i % 2 === 0 && isSmall
    ? so.apply(tf.layers.flatten({ name: so.name('flatten') }), x)
    : globalPool(x, i, so)!
}

function shapesOf(model: tf.LayersModel): NamedShape[] {
  return modelVariables(model).map(({ name, variable }) => ({
    name,
    shape: variable.shape as number[],
  }))
}

import * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../data/example-set.ts'
import { chainOf, forward, type Chain } from '../model/chain.ts'
import { createYielder } from '../training/yielder.ts'
import { attributionPoints } from './attribution-points.ts'
import type { Scorer } from './scorer.ts'

/**
 * The 11 Gauss-Legendre nodes mapped to [0, 1], where captum's quadrature for 10 steps puts the path
 * points. Like captum, conductance uses the nodes and never their weights.
 */
export const PATH_NODES = [
  0.010885670926971514, 0.05646870011595234, 0.13492399721297532, 0.2404519353965941,
  0.36522842202382755, 0.5, 0.6347715779761725, 0.7595480646034058, 0.8650760027870247,
  0.9435312998840477, 0.9891143290730284,
] as const

/** Keeps the score of a dead neuron above 0, so that scores can be divided by their sum. */
const FLOOR = 1e-8
const BATCH_SIZE = 50
/** Values of all activations of a pass: 64 million take 256 MB, and as much again for the gradients. */
const MAX_PASS_VALUES = 64e6

/**
 * Layer conductance (Dhamdhere et al. 2018, arXiv:1805.12233, equation 3) as the neuron interpolation
 * paper measures it: the share of the true label's logit that flows through a neuron on the way from
 * the zero input to x,
 *
 *   c_u(x) = sum_k (f_u(a_{k+1} x) - f_u(a_k x)) dlogit/df_u at a_k x,
 *
 * taken absolute for each example and position, summed over positions and averaged over examples.
 */
export const conductance: Scorer = {
  name: 'conductance',
  summary: 'how much of the true label’s logit flows through a neuron (Dhamdhere et al. 2018)',
  async score(model, examples, { batchSize = BATCH_SIZE, point = 'pre', onProgress, signal }) {
    const total = examples.labels.length
    if (total === 0) throw new RangeError('conductance needs at least one example')
    const chain = chainOf(model)
    const points = attributionPoints(chain, point)
    const perPass = Math.max(
      1,
      Math.min(batchSize, Math.floor(MAX_PASS_VALUES / passValues(model))),
    )
    const breathe = createYielder()
    const sums: Float64Array[] = []
    for (let start = 0; start < total; start += perPass) {
      signal?.throwIfAborted()
      const indices = Array.from({ length: Math.min(perPass, total - start) }, (_, i) => start + i)
      const magnitudes = tf.tidy(() =>
        pathConductance(chain, examples, { indices, points }).map((values) => {
          const width = values.shape.at(-1) ?? 1
          return tf.sum(tf.abs(values).reshape([-1, width]), 0) // [width]
        }),
      )
      try {
        const read = await Promise.all(magnitudes.map((magnitude) => magnitude.data<'float32'>()))
        for (const [level, values] of read.entries()) {
          const sum = (sums[level] ??= new Float64Array(values.length))
          for (const [u, value] of values.entries()) sum[u]! += value
        }
      } finally {
        tf.dispose(magnitudes)
      }
      onProgress?.({ done: start + indices.length, total })
      await breathe()
    }
    return sums.map((sum) => Float32Array.from(sum, (value) => value / total + FLOOR))
  },
}

/**
 * Signed conductance c of every neuron, one tensor [example, ..., width] a point. Call it in `tf.tidy`.
 * All path points run as one batch, and one way back gives the gradients at all levels.
 *
 * @param indices examples to take
 * @param points ops of the chain whose outputs are the neurons
 */
export function pathConductance(
  chain: Chain,
  examples: ExampleSet,
  { indices, points }: { readonly indices: readonly number[]; readonly points: readonly number[] },
): tf.Tensor[] {
  const shape = [indices.length, ...examples.inputShape]
  const x = tf.tensor(examples.inputs(indices), shape, 'float32')
  const path = tf.concat(PATH_NODES.map((node) => tf.mul(x, node))) // [node * example, ...input]
  const pass = forward(chain, path)
  const gradients = pass.backward(trueLabels(examples, indices), (op) =>
    points.includes(op),
  ).outputs
  const rows = (PATH_NODES.length - 1) * indices.length
  return points.map((point) => {
    const f = pass.outputs[point]! // [node * example, ..., width]
    const zeros = f.shape.map(() => 0)
    const rest = f.shape.slice(1)
    const left = tf.slice(f, zeros, [rows, ...rest])
    const right = tf.slice(f, [indices.length, ...zeros.slice(1)], [rows, ...rest])
    const gradient = tf.slice(gradients.get(point)!, zeros, [rows, ...rest]) // at the left points
    const steps = tf.mul(tf.sub(right, left), gradient)
    return tf.sum(steps.reshape([PATH_NODES.length - 1, indices.length, ...rest]), 0)
  })
}

/** d(logit of the true label) / d logits at every path point, [node * example, class]. */
function trueLabels({ labels, numClasses }: ExampleSet, indices: readonly number[]): tf.Tensor2D {
  const rows = PATH_NODES.length * indices.length
  const values = new Float32Array(rows * numClasses)
  for (let row = 0; row < rows; row++) {
    values[row * numClasses + labels[indices[row % indices.length]!]!] = 1
  }
  return tf.tensor2d(values, [rows, numClasses])
}

/** Activations that one example makes at all path points together. */
function passValues(model: tf.LayersModel): number {
  const values = model.layers.map(({ output }) =>
    [output].flat().reduce((sum, { shape }) => sum + product(shape.slice(1)), 0),
  )
  return PATH_NODES.length * values.reduce((sum, value) => sum + value, 0)
}

const product = (dims: readonly (number | null)[]) =>
  dims.reduce<number>((total, dim) => total * (dim ?? 1), 1)

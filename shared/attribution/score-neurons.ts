import * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../data/example-set.ts'
import type { NeuronGraph } from '../model/neuron-graph.ts'
import { positionsOf } from '../model/neurons.ts'
import { createYielder } from '../training/yielder.ts'
import { attributionPoints } from './attribution-points.ts'
import type { ScoredNetwork, ScorerOptions } from './scorer.ts'

/** Keeps the score of a dead neuron above 0, so that scores can be divided by their sum. */
const FLOOR = 1e-8
const BATCH_SIZE = 50
/** Values of all activations of a pass: 64 million take 256 MB, and as much again for the gradients. */
const MAX_PASS_VALUES = 64e6

/** A batch whose contributions are asked for. */
export interface ScoredBatch {
  /** [example, ...input] */
  readonly x: tf.Tensor
  /** One-hot true labels, [example, class]. */
  readonly labels: tf.Tensor2D
  /** Nodes whose outputs are the neurons. */
  readonly nodes: readonly number[]
}

/**
 * What every scorer has in common: contributions to the true label's logit, absolute for each example and
 * position, summed over the positions of a neuron, averaged over examples, plus 1e-8.
 *
 * @param copies how many copies of a batch a pass holds at once, for the bound on memory
 * @param contribute contribution of each position, one tensor of the shape of its output a node, in the
 *   order of `batch.nodes`; called in `tf.tidy`
 * @returns [group][neuron]; of neurons that are read at several nodes the mean over them
 * @throws RangeError without examples
 */
export async function scoreNeurons(
  { graph }: ScoredNetwork,
  examples: ExampleSet,
  options: ScorerOptions & { readonly copies: number },
  contribute: (batch: ScoredBatch) => tf.Tensor[],
): Promise<Float32Array[]> {
  const { batchSize = BATCH_SIZE, point = 'pre', copies, onProgress, signal } = options
  const total = examples.labels.length
  if (total === 0) throw new RangeError('scores need at least one example')
  const points = attributionPoints(graph, point)
  const nodes = [...new Set(points.flat())].sort((a, b) => a - b)
  const sums = nodes.map(() => new Float64Array(0))
  const breathe = createYielder()
  let perPass = Math.min(batchSize, 2)
  for (let start = 0; start < total;) {
    signal?.throwIfAborted()
    const indices = Array.from({ length: Math.min(perPass, total - start) }, (_, i) => start + i)
    let values = 0
    const channelSums = tf.tidy(() => {
      const contributions = contribute({ ...batchOf(examples, indices), nodes })
      values = contributions.reduce((sum, { size }) => sum + size, 0) / indices.length
      return contributions.map((tensor) =>
        tf.sum(tf.abs(tensor).reshape([-1, tensor.shape.at(-1) ?? 1]), 0),
      ) // [channel]
    })
    try {
      const read = await Promise.all(channelSums.map((sum) => sum.data<'float32'>()))
      for (const [i, channels] of read.entries()) {
        if (sums[i]!.length === 0) sums[i] = new Float64Array(channels.length)
        channels.forEach((value, c) => (sums[i]![c]! += value))
      }
    } finally {
      tf.dispose(channelSums)
    }
    start += indices.length
    // The first pass has shown how much one example takes.
    perPass = Math.max(1, Math.min(batchSize, Math.floor(MAX_PASS_VALUES / (values * copies))))
    onProgress?.({ done: start, total })
    await breathe()
  }
  return byNeuron(graph, points, new Map(nodes.map((node, i) => [node, sums[i]!])), total)
}

function batchOf(examples: ExampleSet, indices: readonly number[]) {
  const { inputShape, numClasses } = examples
  const labels = new Float32Array(indices.length * numClasses)
  indices.forEach((index, row) => (labels[row * numClasses + examples.labels[index]!] = 1))
  return {
    x: tf.tensor(examples.inputs(indices), [indices.length, ...inputShape], 'float32'),
    labels: tf.tensor2d(labels, [indices.length, numClasses]),
  }
}

function byNeuron(
  graph: NeuronGraph,
  points: readonly (readonly number[])[],
  sums: ReadonlyMap<number, Float64Array>,
  total: number,
): Float32Array[] {
  const widths = graph.groups.map(({ width }) => width)
  return points.map((nodes, index) => {
    const scores = new Float64Array(widths[index]!)
    for (const node of nodes) {
      const { group, neuron } = positionsOf(graph.layouts[node]!, widths)
      sums.get(node)!.forEach((sum, position) => {
        if (group[position] === index) scores[neuron[position]!]! += sum
      })
    }
    return Float32Array.from(scores, (score) => score / nodes.length / total + FLOOR)
  })
}

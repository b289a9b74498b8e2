import * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../data/example-set.ts'
import type { NeuronGraph } from '../model/neuron-graph.ts'
import { positionsOf } from '../model/neurons.ts'
import { forward } from '../model/op-graph.ts'
import { columnSums } from '../model/ops/op.ts'
import { createYielder } from '../training/yielder.ts'
import { attributionPoints } from './attribution-points.ts'
import type { ScoredNetwork, ScorerOptions } from './scorer.ts'

/** Keeps the score of a dead neuron above 0, so that scores can be divided by their sum. */
const FLOOR = 1e-8
/** 16 MB: on native 64 million values took 1.4 times as long on lenet, 1 million 2.1 times on an MLP. */
export const MAX_PASS_VALUES = 4e6

/** A batch whose contributions are asked for; its tensors are borrowed. */
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
 * @param options `copies`: how many copies of a batch a pass holds at once, for the bound on memory
 * @param contribute contributions, one tensor [example, ..., channel] a node, in the order of
 *   `batch.nodes`; disposed of here
 * @returns [group][neuron]; of neurons that are read at several nodes the mean over them
 * @throws RangeError without examples
 */
export async function scoreNeurons(
  network: ScoredNetwork,
  examples: ExampleSet,
  options: ScorerOptions & { readonly copies: number },
  contribute: (batch: ScoredBatch) => tf.Tensor[] | Promise<tf.Tensor[]>,
): Promise<Float32Array[]> {
  const { graph } = network
  const { point = 'pre', onProgress, signal } = options
  const total = examples.labels.length
  if (total === 0) throw new RangeError('scores need at least one example')
  const points = attributionPoints(graph, point)
  const nodes = [...new Set(points.flat())].sort((a, b) => a - b)
  const perPass = examplesPerPass(network, examples, options)
  const breathe = createYielder()
  const sums: Float64Array[] = []
  for (let start = 0; start < total; start += perPass) {
    signal?.throwIfAborted()
    const done = Math.min(start + perPass, total)
    const batch = batchOf(examples, { start, end: done, nodes })
    try {
      const passed = await channelSums(await contribute(batch))
      for (const [i, channels] of passed.entries()) {
        const sum = (sums[i] ??= new Float64Array(channels.length))
        channels.forEach((value, c) => (sum[c]! += value))
      }
    } finally {
      tf.dispose([batch.x, batch.labels])
    }
    onProgress?.({ done, total })
    await breathe()
  }
  return byNeuron(graph, points, new Map(nodes.map((node, i) => [node, sums[i]!])), total)
}

/** As many as memory allows, judged by a pass of one example. */
function examplesPerPass(
  { graph, weights }: ScoredNetwork,
  examples: ExampleSet,
  options: ScorerOptions & { readonly copies: number },
): number {
  const { batchSize = Infinity, maxValues = MAX_PASS_VALUES, copies } = options
  const values = tf.tidy(() => {
    const { x } = batchOf(examples, { start: 0, end: 1, nodes: [] })
    const { outputs } = forward(graph.ops, x, weights)
    return outputs.reduce((sum, { size }) => sum + size, x.size)
  })
  return Math.max(1, Math.min(batchSize, Math.floor(maxValues / (values * copies))))
}

function batchOf(
  examples: ExampleSet,
  { start, end, nodes }: { start: number; end: number; nodes: readonly number[] },
): ScoredBatch {
  const { inputShape, numClasses } = examples
  const indices = Array.from({ length: end - start }, (_, i) => start + i)
  const labels = new Float32Array(indices.length * numClasses)
  indices.forEach((index, row) => (labels[row * numClasses + examples.labels[index]!] = 1))
  return {
    x: tf.tensor(examples.inputs(indices), [indices.length, ...inputShape], 'float32'),
    labels: tf.tensor2d(labels, [indices.length, numClasses]),
    nodes,
  }
}

/** Sums of magnitudes over all axes but the last, read at once; disposes of what they are taken from. */
async function channelSums(contributions: readonly tf.Tensor[]): Promise<Float32Array[]> {
  const sums = tf.tidy(() => tf.concat(contributions.map((values) => columnSums(tf.abs(values)))))
  const widths = contributions.map(({ shape }) => shape.at(-1)!)
  tf.dispose([...contributions])
  try {
    const read = await sums.data<'float32'>()
    let from = 0
    return widths.map((width) => read.subarray(from, (from += width)))
  } finally {
    sums.dispose()
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

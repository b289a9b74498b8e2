import * as tf from '@tensorflow/tfjs'
import { positionsOf } from '../model/neurons.ts'
import { forward, runFrom } from '../model/op-graph.ts'
import { type ScoredBatch, scoreNeurons } from './score-neurons.ts'
import type { ScoredNetwork, Scorer } from './scorer.ts'

/** Values of the ablated copies of one output that are run at once. */
const MAX_COPY_VALUES = 8e6

export interface AblationOptions {
  /**
   * `neurons` sets a whole channel or head to zero at a time; `positions`, as the reference does, each
   * place of a map on its own, which costs a pass a place.
   * @default 'neurons'
   */
  readonly ablate?: 'neurons' | 'positions'
}

/** Feature ablation: by how much the true label's logit falls when a neuron's output is set to zero. */
export const ablation: Scorer = {
  name: 'ablation',
  summary: 'by how much the true label’s logit falls without a neuron; slow',
  score: (network, examples, options) =>
    scoreNeurons(network, examples, { ...options, copies: 1 }, (batch) =>
      ablationContributions(network, batch),
    ),
}

/** Falls of the logit, one tensor [example, ..., channel] a node. Call it in `tf.tidy`. */
export function ablationContributions(
  { graph, weights }: ScoredNetwork,
  { x, labels, nodes }: ScoredBatch,
  { ablate = 'neurons' }: AblationOptions = {},
): tf.Tensor[] {
  const { outputs } = forward(graph.ops, x, weights)
  const own = trueLogits(outputs.at(-1)!, labels) // [example]
  const widths = graph.groups.map(({ width }) => width)
  return nodes.map((node) => {
    const values = outputs[node]!
    const channels = values.shape.at(-1)!
    const units = ablate === 'positions' ? identity(values.size / x.shape[0]!) : unitsOf(node)
    const falls = units.map((part) =>
      tf.tidy(() => {
        const keep = tf.sub(1, part) // [copy, channel or position]
        const copies = keep.shape[0]!
        const shape = ablate === 'positions' ? [copies, 1, ...values.shape.slice(1)] : undefined
        const mask =
          shape === undefined
            ? tf.reshape(keep, [copies, ...values.shape.slice(0, -1).map(() => 1), channels])
            : tf.reshape(keep, shape)
        const ablated = tf.mul(tf.expandDims(values, 0), mask) // [copy, example, ..., channel]
        const flat = tf.reshape(ablated, [-1, ...values.shape.slice(1)])
        const logits = runFrom(graph.ops, { outputs, node, value: flat, copies, x }, weights)
        const now = trueLogits(logits, tf.tile(labels, [copies, 1])).reshape([copies, -1])
        return tf.sub(own, now) // [copy, example]
      }),
    )
    const fall = tf.transpose(tf.concat(falls)) // [example, unit]
    if (ablate === 'positions') return tf.reshape(fall, values.shape)
    // One value a neuron, at its first place; the others are zero.
    return spread(fall, firstPositions(node))
  })

  /** One row of marked channels a neuron, in pieces that fit into memory. */
  function unitsOf(node: number): tf.Tensor2D[] {
    const { group, neuron } = positionsOf(graph.layouts[node]!, widths)
    const first = firstPositions(node)
    const rows = first.map((at) =>
      Array.from(group, (of, i) => (of === group[at] && neuron[i] === neuron[at] ? 1 : 0)),
    )
    return pieces(rows, x.shape[0]! * (outputs[node]!.size / x.shape[0]!))
  }

  function firstPositions(node: number): number[] {
    const { group, neuron } = positionsOf(graph.layouts[node]!, widths)
    const seen = new Set<string>()
    return Array.from(group.keys()).filter((i) => {
      const key = `${group[i]!}/${neuron[i]!}`
      return !seen.has(key) && seen.add(key)
    })
  }

  function identity(size: number): tf.Tensor2D[] {
    const rows = Array.from({ length: size }, (_, i) =>
      Array.from({ length: size }, (_, j) => (i === j ? 1 : 0)),
    )
    return pieces(rows, x.shape[0]! * size)
  }
}

function pieces(rows: readonly number[][], valuesACopy: number): tf.Tensor2D[] {
  const atOnce = Math.max(1, Math.floor(MAX_COPY_VALUES / valuesACopy))
  const parts: tf.Tensor2D[] = []
  for (let start = 0; start < rows.length; start += atOnce) {
    parts.push(tf.tensor2d(rows.slice(start, start + atOnce)))
  }
  return parts
}

/** The columns of `values` at `positions` of a wider tensor that has zeros elsewhere. */
function spread(values: tf.Tensor, positions: readonly number[]): tf.Tensor {
  const width = Math.max(...positions) + 1
  const rows = positions.map((at) => Array.from({ length: width }, (_, i) => (i === at ? 1 : 0)))
  return tf.matMul(values as tf.Tensor2D, tf.tensor2d(rows))
}

function trueLogits(logits: tf.Tensor, labels: tf.Tensor): tf.Tensor1D {
  return tf.sum(tf.mul(logits, labels), 1)
}

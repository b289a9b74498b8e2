import * as tf from '@tensorflow/tfjs'
import { positionsOf } from '../model/neurons.ts'
import { run, runFrom } from '../model/op-graph.ts'
import { createYielder } from '../training/yielder.ts'
import { MAX_PASS_VALUES, type ScoredBatch, scoreNeurons } from './score-neurons.ts'
import type { ScoredNetwork, Scorer, ScorerOptions } from './scorer.ts'

export interface AblationOptions extends ScorerOptions {
  /**
   * `neurons` sets a whole channel or head to zero at a time; `positions`, as the reference does, each
   * place of a map on its own, which costs a pass a place.
   * @default 'neurons'
   */
  readonly ablate?: 'neurons' | 'positions'
}

/** Feature ablation: by how much the true label's logit falls when a neuron's output is set to zero. */
export const ablation: Scorer<AblationOptions> = {
  name: 'ablation',
  summary: 'by how much the true label’s logit falls without a neuron; slow',
  score: (network, examples, options) =>
    scoreNeurons(network, examples, { ...options, copies: 1 }, (batch) =>
      ablationContributions(network, batch, options),
    ),
}

/** What is set to zero together: positions along the rows that an output is seen as. */
interface Ablation {
  /** Length of a row: the channels of a place, or all values of an example. */
  readonly length: number
  /** Positions within each row, [unit][...]. */
  readonly units: readonly (readonly number[])[]
}

/**
 * Falls of the logit, one tensor [example, ..., channel] a node; the caller owns them. Of a neuron with
 * several positions the first one has the fall, the others are zero. Copies of the batch that lack one
 * unit each run side by side, from the node on.
 */
export async function ablationContributions(
  { graph, weights }: ScoredNetwork,
  { x, labels, nodes }: ScoredBatch,
  { ablate = 'neurons', maxValues = MAX_PASS_VALUES, signal }: AblationOptions = {},
): Promise<tf.Tensor[]> {
  const all = graph.ops.nodes.map((_, node) => node)
  const outputs = run(graph.ops, x, weights, all)
  const contributions: tf.Tensor[] = []
  const widths = graph.groups.map(({ width }) => width)
  const numExamples = x.shape[0]
  const breathe = createYielder()
  try {
    for (const node of nodes) contributions.push(await falls(node))
    return contributions
  } catch (error) {
    tf.dispose(contributions)
    throw error
  } finally {
    tf.dispose(outputs)
  }

  async function falls(node: number): Promise<tf.Tensor> {
    const values = outputs[node]!
    const ablation = ablate === 'positions' ? positionsIn(values) : neuronsAt(node)
    const behind = outputs.slice(node).reduce((sum, { size }) => sum + size, 0)
    const atOnce = Math.max(1, Math.floor(maxValues / behind))
    const pieces: tf.Tensor[] = []
    let whole: tf.Tensor | undefined
    try {
      for (let start = 0; start < ablation.units.length; start += atOnce) {
        signal?.throwIfAborted()
        const units = ablation.units.slice(start, start + atOnce)
        // From a pass of the same size, as a product of other rows may round in another way: where nothing
        // changes, as at a neuron that never fires, the fall is to be 0 exactly.
        if (whole?.shape[0] !== units.length) {
          whole?.dispose()
          whole = tf.tidy(() => logitsWithout(node, { ...ablation, units: units.map(() => []) }))
        }
        const before = whole
        pieces.push(tf.tidy(() => tf.sub(before, logitsWithout(node, { ...ablation, units }))))
        await breathe()
      }
      return tf.tidy(() => {
        const fall = tf.transpose(tf.concat(pieces)) // [example, unit]
        if (ablate === 'positions') return tf.reshape(fall, values.shape)
        return atFirstPositions(fall, ablation)
      })
    } finally {
      whole?.dispose()
      tf.dispose(pieces)
    }
  }

  /** True label's logit, [unit, example] */
  function logitsWithout(node: number, { length, units }: Ablation): tf.Tensor {
    const values = outputs[node]!
    const copies = units.length
    const mask = new Float32Array(copies * length).fill(1)
    units.forEach((positions, copy) => {
      for (const position of positions) mask[copy * length + position] = 0
    })
    const ablated = tf.mul(
      tf.reshape(values, [1, -1, length]),
      tf.tensor3d(mask, [copies, 1, length]),
    ) // [copy, row, position]
    const value = tf.reshape(ablated, [copies * numExamples, ...values.shape.slice(1)])
    const logits = runFrom(graph.ops, { outputs, node, value, copies, x }, weights)
    const byCopy = tf.reshape(logits, [copies, ...labels.shape]) // [copy, example, class]
    return tf.sum(tf.mul(byCopy, labels), 2)
  }

  function neuronsAt(node: number): Ablation {
    const { group, neuron } = positionsOf(graph.layouts[node]!, widths)
    const units = new Map<string, number[]>()
    group.forEach((of, position) => {
      if (of < 0) return
      const key = `${of}/${neuron[position]!}`
      units.set(key, [...(units.get(key) ?? []), position])
    })
    return { length: group.length, units: [...units.values()] }
  }
}

/** Each value of an example on its own. */
function positionsIn(values: tf.Tensor): Ablation {
  const length = values.size / values.shape[0]
  return { length, units: Array.from({ length }, (_, i) => [i]) }
}

/** [example, unit] -> [example, position] */
function atFirstPositions(fall: tf.Tensor, { length, units }: Ablation): tf.Tensor {
  if (units.length === length) return fall
  const zeros = units.length
  const unitAt = new Int32Array(length).fill(zeros)
  units.forEach(([first], unit) => (unitAt[first!] = unit))
  const padded = tf.pad(fall as tf.Tensor2D, [
    [0, 0],
    [0, 1],
  ])
  return tf.gather(padded, tf.tensor1d(unitAt, 'int32'), 1)
}

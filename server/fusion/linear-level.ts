import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../../shared/errors.ts'
import type { Level } from '../../shared/model/levels.ts'
import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import type { Op } from '../../shared/model/ops/op.ts'
import { sizeOf } from '../../shared/model/weights.ts'
import type { EngineWeights } from './engine-weights.ts'
import { runInBatches } from './level-walk.ts'
import type { LinearSystem } from './unfolded-rows.ts'

/** A level that is one product: what its kernel reads, and what follows it up to its pre-activations. */
export interface LinearLevel {
  readonly level: Level
  /** Node of the product. */
  readonly node: number
  readonly kernel: string
  readonly bias: string | undefined
  /** The batch normalisation behind it, by role of its weights. */
  readonly norm: { readonly op: Op; readonly names: ReadonlyMap<string, string> } | undefined
}

/**
 * Reads a level as `pre = unfold(x) W + b`.
 *
 * @param strategy for the message
 * @throws GraftError GRAFT_STRATEGY_UNSUITABLE when the level is more than one product
 */
export function linearLevel(graph: NeuronGraph, level: Level, strategy: string): LinearLevel {
  const nodes = graph.ops.nodes
  const inLevel = Array.from({ length: level.pre - level.from + 1 }, (_, i) => level.from + i)
  const weighted = inLevel.filter((node) => nodes[node]!.op.weights.length > 0)
  const [node = -1, ...others] = weighted
  const op = nodes[node]?.op
  const norm = others.length === 1 ? nodes[others[0]!]!.op : undefined
  const isLinear = op?.unfold !== undefined && others.length === (norm === undefined ? 0 : 1)
  if (!isLinear || (norm !== undefined && norm.kind !== 'batch-norm')) {
    const layers = [...new Set(weighted.map((of) => nodes[of]!.op.layer))]
    throw new GraftError(
      'GRAFT_STRATEGY_UNSUITABLE',
      `${strategy} solves one dense or convolutional layer after the other, and level ${level.name} is made of ` +
        `${layers.join(', ')} together.`,
    )
  }
  const [kernel, bias] = op.weights
  return {
    level,
    node,
    kernel: kernel!.name,
    bias: bias?.name,
    norm: norm && {
      op: norm,
      names: new Map(norm.weights.map(({ name }) => [name.slice(name.lastIndexOf('.') + 1), name])),
    },
  }
}

/**
 * Refuses networks that are no chain of products.
 * @throws GraftError GRAFT_STRATEGY_UNSUITABLE naming the first level that is more than one
 */
export function assertLinear(graph: NeuronGraph, strategy: string): void {
  for (const level of graph.levels) linearLevel(graph, level, strategy)
}

/** Whether a level adds a number of its own to each neuron, in one way or another. */
export const hasOffset = ({ bias, norm }: LinearLevel): boolean =>
  bias !== undefined || norm !== undefined

/**
 * Writes a level's weights into the fused network. A batch normalisation behind it is given the moments
 * that the level really has on these inputs, so that it says the same in inference and in training.
 *
 * @param solved W, [fanIn (+ 1), width], the offset of each neuron last; and the system it solves
 */
export async function writeLevel(
  linear: LinearLevel,
  fused: EngineWeights,
  solved: LinearSystem & { readonly values: Float32Array },
): Promise<void> {
  const { kernel, bias, norm } = linear
  const { values, kernelShape } = solved
  const width = kernelShape.at(-1)!
  const size = sizeOf(kernelShape)
  fused.set(kernel, tf.tensor(values.slice(0, size), [...kernelShape], 'float32'))
  const offset = hasOffset(linear) ? values.slice(size) : new Float32Array(width)
  if (bias !== undefined) fused.set(bias, tf.tensor1d(offset))
  if (norm === undefined) return
  const { mean, variance } = await momentsOf(linear, fused, solved)
  const name = (role: string) => norm.names.get(role)
  const set = (role: string, value: (neuron: number) => number) => {
    const of = name(role)
    if (of !== undefined) fused.set(of, tf.tensor1d(Float32Array.from(mean, (_, i) => value(i))))
  }
  const own = bias === undefined ? offset : new Float32Array(width)
  const hasGamma = name('gamma') !== undefined
  const hasBeta = name('beta') !== undefined
  // Without gamma the moments are pretended to be 0 and 1, as nothing else undoes the division.
  set('movingVariance', (i) => (hasGamma ? variance[i]! : 1 - norm.op.epsilon!))
  set('gamma', (i) => Math.sqrt(variance[i]! + norm.op.epsilon!))
  set('movingMean', (i) => (hasBeta ? mean[i]! : -own[i]!))
  set('beta', (i) => mean[i]! + own[i]!)
}

/** Mean and variance of what the product gives, bias included, by neuron. */
async function momentsOf(
  { kernel, bias }: LinearLevel,
  fused: EngineWeights,
  { op, input }: LinearSystem,
): Promise<{ mean: Float32Array; variance: Float32Array }> {
  const names = bias === undefined ? [kernel] : [kernel, bias]
  const [outputs] = await runInBatches(input, (batch) => [
    op.forward([batch], names.map(fused.source), {}).y,
  ])
  const [mean, variance] = tf.tidy(() => {
    const moments = tf.moments(tf.reshape(outputs!, [-1, outputs!.shape.at(-1)!]), 0)
    return [moments.mean, moments.variance]
  })
  try {
    return {
      mean: Float32Array.from(await mean.data()),
      variance: Float32Array.from(await variance.data()),
    }
  } finally {
    tf.dispose([mean, variance, outputs!])
  }
}

import { GraftError } from '../../shared/errors.ts'
import type { Level } from '../../shared/model/levels.ts'
import type { NamedTensor, Weights } from '../../shared/model/weights.ts'
import { measureWidths } from './neuron-axes.ts'
import type { Parent } from './strategy.ts'

/** Where a neuron comes from. */
export interface NeuronOrigin {
  /** Id of the parent. */
  readonly parent: string
  /** Its index in the parent's level. */
  readonly neuron: number
}

/** One network of a transplantation: a loaded parent, or what an earlier merge made of several. */
export interface Network {
  readonly id: string
  /** By name, in the order of the layers; not to be changed. */
  readonly weights: ReadonlyMap<string, NamedTensor>
  /** Width of each level, [level]. */
  readonly widths: readonly number[]
  /** Training examples of each class, summed over the parents in it, [class]. */
  readonly classCounts: readonly number[]
  /** Inputs of the head, summed over the parents in it: what the mean of the heads is weighted by. */
  readonly headInputs: number
  /** Attribution scores, [level][neuron]; empty when a parent sent none. */
  readonly scores: readonly Float32Array[]
  /** [level][neuron]; of the head, whose neurons are the classes, empty. */
  readonly origins: readonly (readonly NeuronOrigin[])[]
}

/**
 * @param weights the parent's, borrowed
 * @throws GraftError GRAFT_SHAPE_MISMATCH when they don't fit `levels`, hidden widths aside
 */
export function networkOf(parent: Parent, weights: Weights, levels: readonly Level[]): Network {
  const { id, classCounts, scores } = parent
  const widths = measureWidths(weights, levels, id)
  const byName = new Map(weights.map((tensor) => [tensor.name, tensor]))
  const head = levels.find(({ isHead }) => isHead)!
  if (classCounts.length !== head.width) {
    throw new GraftError(
      'GRAFT_SHAPE_MISMATCH',
      `Parent ${id} counts ${classCounts.length} classes, the fused network has ${head.width}.`,
    )
  }
  return {
    id,
    weights: byName,
    widths,
    classCounts,
    headInputs: inputsOf(head, byName),
    scores,
    origins: levels.map(({ index, isHead }) =>
      isHead ? [] : Array.from({ length: widths[index]! }, (_, neuron) => ({ parent: id, neuron })),
    ),
  }
}

/** Rows of the head's kernel [in, class]. */
function inputsOf(head: Level, weights: ReadonlyMap<string, NamedTensor>): number {
  const kernel = head.members.find(({ role }) => role === 'kernel')!
  const { data } = weights.get(kernel.weight)!
  return data.length / head.width
}

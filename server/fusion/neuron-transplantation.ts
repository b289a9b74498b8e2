import { GraftError } from '../../shared/errors.ts'
import type { Level } from '../../shared/model/levels.ts'
import { type Network, networkOf } from './network.ts'
import { inIdOrder } from './parents.ts'
import { reduceTree } from './reduce-tree.ts'
import { chooseOptions } from './strategy-options.ts'
import type { FusionInput, Strategy } from './strategy.ts'
import { transplant } from './transplant.ts'

const OPTIONS = {
  /** Prune all neurons of the merged networks together, or each network alone before merging. */
  variant: ['merge-prune', 'prune-merge'],
  /** Which parents are merged first; `reduceTree` says what each means. */
  tree: ['hierarchical', 'joint', 'iterative'],
  /** What makes a neuron important: its weights' sum of squares or magnitudes, or its attribution. */
  importance: ['l2', 'l1', 'attribution'],
  /** Score all levels before pruning any, or a level after the level behind it was pruned. */
  order: ['upfront', 'sequential'],
  /** Logits of a class weighed by the parents' shares of its examples, or all alike. */
  head: ['shares', 'mean'],
} as const

/**
 * Neuron Transplantation: the largest neurons of all parents, side by side in one network of the
 * original width. Model Fusion via Neuron Transplantation, arXiv 2502.06849, and the code it names.
 *
 * Exactly as many neurons are kept as the fused network has. The reference keeps one fewer for 3, 5, 6,
 * 7, 10, ... parents, where `1 - (1 - 1/k)` falls short of 1/k in floating point.
 */
export const neuronTransplantation: Strategy = {
  name: 'nt',
  summary: 'the largest neurons of all parents, side by side',
  paper: 'arXiv 2502.06849',
  options: OPTIONS,
  fuse: async (input) => [...(await transplantParents(input)).weights.values()],
}

/**
 * What `nt` does, with where each neuron comes from.
 *
 * @returns the fused network, of the widths of `levels`
 * @throws GraftError GRAFT_SHAPE_MISMATCH when a parent doesn't fit `levels`, or when the parents have
 *   fewer neurons in a level than the fused network
 * @throws GraftError GRAFT_STRATEGY_UNKNOWN when an option is wrong, or attribution scores are missing
 */
export async function transplantParents({
  parents,
  levels,
  options,
}: FusionInput): Promise<Network> {
  const { tree, ...rules } = chooseOptions('nt', OPTIONS, options)
  const widths = levels.map(({ width }) => width)
  const leaves = inIdOrder(parents).map(
    (parent) => async () => networkOf(parent, await parent.load(), levels),
  )
  const fused = await reduceTree(leaves, tree, (networks) =>
    transplant(networks, levels, { ...rules, widths }),
  )
  assertFilled(fused, levels)
  return fused
}

function assertFilled({ widths }: Network, levels: readonly Level[]): void {
  const narrow = levels.find(({ width }, i) => widths[i]! < width)
  if (narrow === undefined) return
  throw new GraftError(
    'GRAFT_SHAPE_MISMATCH',
    `The parents have ${widths[narrow.index]!} neurons in ${narrow.layer} together, the fused network ${narrow.width}.`,
  )
}

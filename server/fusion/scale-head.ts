import { GraftError } from '../../shared/errors.ts'
import { headGroup, type NeuronGraph, shapesWith } from '../../shared/model/neuron-graph.ts'
import { sizeOf } from '../../shared/model/weights.ts'
import { classShares } from './class-shares.ts'

/** How the parents' logits are weighed: by their shares of each class's examples, or as one mean. */
export type HeadRule = 'shares' | 'mean'

/** What decides how much a network's logits count. */
export interface HeadWeight {
  /** Training examples of each class, summed over the parents in it, [class]. */
  readonly classCounts: readonly number[]
  /** Inputs of the head, summed over the parents in it. */
  readonly headInputs: number
}

/**
 * Weight of each network's logit of each class; they sum to 1 over the networks.
 *
 * `mean`: `in_k / sum_j in_j` with in_k the inputs of head k, so 1/k for equal widths, as the reference
 * code of NT has it. A merged network counts with all the parents in it; the reference counts it as one,
 * so that in a tree of unequal halves, or an iterative one, late parents weigh more: here none does
 * (test: 'should weigh all parents alike in every tree').
 * `shares`: by class counts, see {@link classShares}; a class that nobody saw takes the mean.
 *
 * @returns [network][class]
 */
export function headWeights(networks: readonly HeadWeight[], rule: HeadRule): Float64Array[] {
  const inputs = networks.map(({ headInputs }) => headInputs)
  const counts = networks.map(({ classCounts }) =>
    rule === 'shares' ? classCounts : classCounts.map(() => 0),
  )
  return classShares(counts, inputs)
}

/** Numbers that the head of a network of these widths, [group], reads. */
export function headInputs(graph: NeuronGraph, widths: readonly number[]): number {
  const head = headGroup(graph)
  const kernel = head.axes.find(({ role }) => role === 'kernel')!
  const { shape } = shapesWith(graph, widths).find(({ name }) => name === kernel.weight)!
  return sizeOf(shape) / head.width
}

/**
 * Refuses a head that is no plain product with a bias: only of that is a mean of logits a sum of weights.
 * @throws GraftError GRAFT_STRATEGY_UNSUITABLE naming what stands behind it
 */
export function assertPlainHead(graph: NeuronGraph): void {
  const head = headGroup(graph)
  const odd = head.axes.find(({ role }) => role !== 'kernel' && role !== 'bias')
  if (odd === undefined) return
  throw new GraftError(
    'GRAFT_STRATEGY_UNSUITABLE',
    `${odd.weight} stands behind ${head.name}: the last layer of a transplanted network is dense.`,
  )
}

/**
 * Refuses neurons that must stay where they are, and so cannot stand side by side with those of other
 * parents: there is one input for all parents, and what is added to it has its places; so has what is added
 * to neurons of another number of positions.
 * @throws GraftError GRAFT_STRATEGY_UNSUITABLE naming the layer
 */
export function assertNoneFixed({ groups }: NeuronGraph, strategy: string): void {
  const fixed = groups.find(({ isFixed, isHead }) => isFixed && !isHead)
  if (fixed === undefined) return
  throw new GraftError(
    'GRAFT_STRATEGY_UNSUITABLE',
    `${strategy} cannot choose neurons of ${fixed.name}: they are added to the network's input, or to neurons that take up other places.`,
  )
}

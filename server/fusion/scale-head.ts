import { GraftError } from '../../shared/errors.ts'
import type { Level } from '../../shared/model/levels.ts'
import type { NamedTensor } from '../../shared/model/weights.ts'
import { classShares } from './class-shares.ts'
import type { Network } from './network.ts'

/** How the parents' logits are weighed: by their shares of each class's examples, or as one mean. */
export type HeadRule = 'shares' | 'mean'

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
export function headWeights(networks: readonly Network[], rule: HeadRule): Float64Array[] {
  const inputs = networks.map(({ headInputs }) => headInputs)
  const counts = networks.map(({ classCounts }) =>
    rule === 'shares' ? classCounts : classCounts.map(() => 0),
  )
  return classShares(counts, inputs)
}

/**
 * The network with its head's kernel and bias multiplied by one weight a class.
 *
 * @param weights [class]
 * @returns a network that shares all other tensors with `network`
 * @throws GraftError GRAFT_LAYER_UNSUPPORTED when something else than a dense layer makes the logits
 */
export function scaleHead(network: Network, head: Level, weights: Float64Array): Network {
  const scaled = new Map(network.weights)
  for (const { weight, role } of head.members) {
    if (role !== 'kernel' && role !== 'bias') {
      throw new GraftError(
        'GRAFT_LAYER_UNSUPPORTED',
        `${weight} stands behind ${head.layer}: the last layer of a transplanted network is dense.`,
      )
    }
    scaled.set(weight, scaleClasses(network.weights.get(weight)!, weights))
  }
  return { ...network, weights: scaled }
}

/** The classes are the last axis of a dense kernel and the only one of a bias. */
function scaleClasses(tensor: NamedTensor, weights: Float64Array): NamedTensor {
  return { ...tensor, data: tensor.data.map((value, i) => value * weights[i % weights.length]!) }
}

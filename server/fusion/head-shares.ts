import { classShares } from './class-shares.ts'
import type { Parent } from './strategy.ts'

/**
 * What weighs the parents' logits: their shares of each class's examples, the attribution scores of the
 * classes, as the references of NI have it for all but KF gradient, or nothing.
 */
export const HEAD_OPTION = ['shares', 'scores', 'mean'] as const
export type HeadOption = (typeof HEAD_OPTION)[number]

/**
 * Weight of each parent's logit of each class, [parent][class]; each class sums to 1.
 * @param scores of the head's neurons, [parent][class]
 */
export function headShares(
  parents: readonly Parent[],
  option: HeadOption,
  scores: readonly Float64Array[],
): Float64Array[] {
  switch (option) {
    case 'shares':
      return classShares(parents.map(({ classCounts }) => classCounts))
    case 'scores':
      return classShares(scores.map((ofParent) => [...ofParent]))
    case 'mean':
      return classShares(parents.map(({ classCounts }) => classCounts.map(() => 1)))
  }
}

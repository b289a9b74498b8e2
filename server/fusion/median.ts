import { blockStrategy } from './block-strategy.ts'
import { inIdOrder } from './parents.ts'
import type { FusionInput, OpenFusion } from './strategy.ts'
import { trimmedMeans } from './trimmed-means.ts'

/**
 * Coordinate-wise median, `w[i] = med { w_k[i] }` over the parents, each counting alike; of an even number
 * the mean of the two in the middle. As long as fewer than half of the parents are wrong, however much, each
 * coordinate lies between values of right ones. Yin et al. 2018 (arXiv 1803.01498), Definition 1.
 *
 * A slice of each parent is in memory at a time.
 */
export const median = blockStrategy({
  name: 'median',
  summary: 'median of each weight, which less than half of the parents cannot move far',
  paper: 'arXiv 1803.01498, Definition 1',
  options: {},
  open,
})

async function open(input: FusionInput): Promise<OpenFusion> {
  const { length } = inIdOrder(input.parents)
  return trimmedMeans(input, Math.floor((length - 1) / 2))
}

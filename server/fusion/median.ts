import { inIdOrder } from './parents.ts'
import type { Fusion, FusionInput, Strategy } from './strategy.ts'
import { trimmedMeans } from './trimmed-means.ts'

/**
 * Coordinate-wise median, `w[i] = med { w_k[i] }` over the parents, each counting alike; of an even number
 * the mean of the two in the middle. As long as fewer than half of the parents are wrong, however much, each
 * coordinate lies between values of right ones. Yin et al. 2018 (arXiv 1803.01498), Definition 1.
 *
 * One parent is loaded at a time, again for each slice of a cohort that is too large to be held.
 */
export const median: Strategy = {
  name: 'median',
  summary: 'median of each weight, which less than half of the parents cannot move far',
  paper: 'arXiv 1803.01498, Definition 1',
  options: {},
  fuse,
}

async function fuse(input: FusionInput): Promise<Fusion> {
  const { length } = inIdOrder(input.parents)
  return trimmedMeans(input, Math.floor((length - 1) / 2))
}

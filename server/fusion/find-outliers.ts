import { medianDeviation, medianOf } from '../../shared/numeric/median.ts'

/** Robust deviations beyond which a size is an outlier. */
export const OUTLIER_THRESHOLD = 5

/** Sizes that are compared at least: of fewer nobody can say which one is the odd one out. */
const FEWEST = 4

/**
 * Deviation of log sizes below which nobody is: honest clients with little and with much data differ by factors. With the
 * threshold, nothing below e^(5 * 0.3) = 4.5 times the median is ever an outlier.
 */
const LEAST_DEVIATION = 0.3

/** What a size is compared as, at least: of weights that did not move the logarithm is not finite. */
const TINY = 1e-12

/**
 * By how many robust deviations the logarithm of each size is above the median of all:
 * `(log x_i - med log x) / max(1.4826 med |log x_i - med log x|, 0.3)`. In logarithms, as sizes of updates vary by factors; above
 * only, as a small update does no harm. Fewer than half of the sizes can hide themselves, or make others look odd.
 *
 * @param sizes not negative
 * @returns null of fewer than four
 */
export function outlierScores(sizes: readonly number[]): number[] | null {
  if (sizes.length < FEWEST) return null
  const logs = sizes.map((size) => Math.log(Math.max(size, TINY)))
  const middle = medianOf(logs)
  const deviation = Math.max(medianDeviation(logs), LEAST_DEVIATION)
  return logs.map((log) => (log - middle) / deviation)
}

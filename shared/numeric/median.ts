/** The value in the middle, of an even number the mean of the two there. @throws RangeError without a value */
export function medianOf(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort()
  const { length } = sorted
  if (length === 0) throw new RangeError('There is no median of nothing.')
  const middle = length >> 1
  return length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/**
 * Median absolute deviation, `med |x_i - med x|`, times 1.4826, by which it estimates the standard deviation of normal
 * values. Hampel 1974: less than half of the values can move it without bound.
 */
export function medianDeviation(values: ArrayLike<number>): number {
  const middle = medianOf(values)
  return NORMAL * medianOf(Float64Array.from(values, (value) => Math.abs(value - middle)))
}

/** 1 / the 75 % quantile of the standard normal distribution. */
const NORMAL = 1.482602218505602

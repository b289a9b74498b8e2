/**
 * The value in the middle, of an even number the mean of the two there.
 * @param values without NaN
 * @throws RangeError without a value
 */
export function medianOf(values: ArrayLike<number>): number {
  const own = new Float64Array(values)
  const { length } = own
  if (length === 0) throw new RangeError('There is no median of nothing.')
  const middle = length >> 1
  const upper = select(own, middle)
  if (length % 2 === 1) return upper
  let lower = own[0]!
  for (let i = 1; i < middle; i++) lower = Math.max(lower, own[i]!)
  return (lower + upper) / 2
}

/**
 * The value that sorting would put at `k`, which is there afterwards, with none above it before and none below it behind it.
 * Sorting takes twice as long. Hoare 1961, "Algorithm 65: Find".
 */
function select(values: Float64Array, k: number): number {
  let [left, right] = [0, values.length - 1]
  while (left < right) {
    const pivot = values[k]!
    let [i, j] = [left, right]
    while (i <= j) {
      while (values[i]! < pivot) i++
      while (values[j]! > pivot) j--
      if (i > j) break
      const value = values[i]!
      values[i++] = values[j]!
      values[j--] = value
    }
    if (j < k) left = i
    if (i > k) right = j
  }
  return values[k]!
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

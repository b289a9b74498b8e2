/**
 * Softmax of each row, in float64 and without overflow.
 *
 * @param logits [row, class], row-major
 * @returns probabilities of the same shape
 */
export function softmaxRows(logits: Float32Array, numClasses: number): Float32Array {
  const exponentials = new Float64Array(logits.length)
  for (let start = 0; start < logits.length; start += numClasses) {
    const row = logits.subarray(start, start + numClasses)
    const largest = row.reduce((a, b) => Math.max(a, b), -Infinity)
    row.forEach((logit, c) => (exponentials[start + c] = Math.exp(logit - largest)))
  }
  return normaliseRows(exponentials, numClasses)
}

/**
 * Each row divided by its sum; a row of zeros becomes uniform.
 *
 * @param values >= 0, [row, class], row-major
 */
export function normaliseRows(values: Float64Array, numClasses: number): Float32Array {
  const normalised = new Float32Array(values.length)
  for (let start = 0; start < values.length; start += numClasses) {
    const row = values.subarray(start, start + numClasses)
    const sum = row.reduce((a, b) => a + b, 0)
    row.forEach((value, c) => (normalised[start + c] = sum > 0 ? value / sum : 1 / numClasses))
  }
  return normalised
}

/** Each row less its mean, which softmax does not see; in place. */
export function centreRows(values: Float32Array, numClasses: number): Float32Array {
  for (let start = 0; start < values.length; start += numClasses) {
    const row = values.subarray(start, start + numClasses)
    const mean = row.reduce((a, b) => a + b, 0) / numClasses
    row.forEach((value, c) => (row[c] = value - mean))
  }
  return values
}

/**
 * Some rows of a matrix, in the order asked for.
 *
 * @param values [row, column], row-major
 * @param indices of rows that are there
 * @returns [index, column]; a copy
 */
export function pickRows(
  values: Float32Array,
  columns: number,
  indices: ArrayLike<number>,
): Float32Array {
  const rows = new Float32Array(indices.length * columns)
  for (let i = 0; i < indices.length; i++) {
    const start = indices[i]! * columns
    rows.set(values.subarray(start, start + columns), i * columns)
  }
  return rows
}

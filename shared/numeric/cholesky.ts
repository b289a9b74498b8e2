import { addProduct, part, transposed, viewOf, type View64 } from './matmul64.ts'

/** Columns factored at a time; what lies below and right of them is then updated by one product. */
const BLOCK = 64

/**
 * Cholesky factor L, lower triangular with L L' = a, by blocks (Golub and Van Loan 2013, "Matrix
 * Computations", section 4.2.9), n^3 / 3 operations.
 *
 * @param a [n, n], symmetric; only its lower triangle is read
 * @returns L, [n, n]; undefined when `a` is not positive definite
 */
export function cholesky(a: Float64Array, n: number): Float64Array | undefined {
  const lower = a.slice()
  const view = viewOf(lower, n)
  for (let k = 0; k < n; k += BLOCK) {
    const size = Math.min(BLOCK, n - k)
    const below = n - k - size
    if (!factorColumns(part(view, k, k, [n - k, size]))) return undefined
    const panel = part(view, k + size, k, [below, size])
    const rest = part(view, k + size, k + size, [below, below])
    addProduct(rest, panel, transposed(panel), { sign: -1, lowerOnly: true })
  }
  for (let i = 0; i < n; i++) lower.fill(0, i * n + i + 1, (i + 1) * n)
  return lower
}

/** Factors the square on top of a tall view in place, and solves the rest against it. */
function factorColumns({ data, offset, rows, columns, rowStride }: View64): boolean {
  for (let i = 0; i < rows; i++) {
    const row = offset + i * rowStride
    for (let j = 0; j < Math.min(columns, i + 1); j++) {
      const pivotRow = offset + j * rowStride
      let sum = data[row + j]!
      for (let k = 0; k < j; k++) sum -= data[row + k]! * data[pivotRow + k]!
      if (j < i) data[row + j] = sum / data[pivotRow + j]!
      else if (sum > 0) data[row + j] = Math.sqrt(sum)
      else return false
    }
  }
  return true
}

/**
 * x with L L' x = b, by forward and back substitution.
 *
 * @param lower L, [n, n]
 * @param b [n, columns]
 * @returns x, [n, columns]
 */
export function choleskySolve(lower: Float64Array, b: Float64Array, columns: number): Float64Array {
  const x = b.slice()
  const n = x.length / columns
  const triangle = viewOf(lower, n)
  const solution = viewOf(x, columns)
  for (let k = 0; k < n; k += BLOCK) {
    const size = Math.min(BLOCK, n - k)
    const block = part(solution, k, 0, [size, columns])
    addProduct(block, part(triangle, k, 0, [size, k]), part(solution, 0, 0, [k, columns]), {
      sign: -1,
    })
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < i; j++) addRow(block, i, j, -lower[(k + i) * n + k + j]!)
      scaleRow(block, i, 1 / lower[(k + i) * n + k + i]!)
    }
  }
  for (let end = n; end > 0; end -= BLOCK) {
    const k = Math.max(0, end - BLOCK)
    const below = n - end
    const block = part(solution, k, 0, [end - k, columns])
    addProduct(
      block,
      transposed(part(triangle, end, k, [below, end - k])),
      part(solution, end, 0, [below, columns]),
      { sign: -1 },
    )
    for (let i = end - k - 1; i >= 0; i--) {
      for (let j = i + 1; j < end - k; j++) addRow(block, i, j, -lower[(k + j) * n + k + i]!)
      scaleRow(block, i, 1 / lower[(k + i) * n + k + i]!)
    }
  }
  return x
}

/** Row i += factor * row j. */
function addRow(
  { data, offset, columns, rowStride }: View64,
  i: number,
  j: number,
  factor: number,
) {
  const from = offset + j * rowStride
  const to = offset + i * rowStride
  for (let k = 0; k < columns; k++) data[to + k] = data[to + k]! + factor * data[from + k]!
}

function scaleRow({ data, offset, columns, rowStride }: View64, i: number, factor: number): void {
  const at = offset + i * rowStride
  for (let k = at; k < at + columns; k++) data[k] = data[k]! * factor
}

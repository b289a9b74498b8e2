import { tridiagonalize, type Tridiagonal } from './tridiagonal.ts'

/**
 * All eigenvalues and eigenvectors of a symmetric matrix: Householder tridiagonalisation, then QL with
 * implicit shifts, Golub and Van Loan 2013, "Matrix Computations", section 8.3.
 *
 * @param a [n, n], symmetric; only its lower triangle is read
 * @returns eigenvalues, ascending, [n], and the eigenvector of each as a row, [n, n]
 * @throws RangeError for numbers that are not finite
 */
export function symmetricEigen(
  a: Float64Array,
  n: number,
): { values: Float64Array; vectors: Float64Array } {
  const tridiagonal = tridiagonalize(a, n)
  diagonalize(tridiagonal, n)
  const { diagonal, basis } = tridiagonal
  const order = Array.from(diagonal.keys()).sort((i, j) => diagonal[i]! - diagonal[j]!)
  const vectors = new Float64Array(n * n)
  order.forEach((from, to) => vectors.set(basis.subarray(from * n, (from + 1) * n), to * n))
  return { values: diagonal.slice().sort(), vectors }
}

/** Sweeps per eigenvalue that never were needed: about 1.7 are. */
const MOST_SWEEPS = 60

/** Makes T diagonal in place; the basis becomes the eigenvectors. */
function diagonalize({ diagonal: d, offDiagonal: e, basis }: Tridiagonal, n: number): void {
  const rotations = createRotations(basis, n)
  let norm = 0
  for (let i = 0; i < n; i++) norm = Math.max(norm, Math.abs(d[i]!) + Math.abs(e[i]!))
  if (!Number.isFinite(norm)) throw new RangeError('A matrix that is not finite has no eigenvalues')
  // Against the norm, not the neighbours: the noise that a rank-deficient matrix ends in is not resolved.
  const negligible = Number.EPSILON * norm
  for (let start = 0; start < n; start++)
    for (let sweeps = 0; ; sweeps++) {
      const end = firstSplit(e, start, negligible)
      if (end === start) break
      if (sweeps === MOST_SWEEPS) throw new Error('QL does not converge')
      sweep(d, e, [start, end], rotations)
    }
  rotations.apply()
}

/** The first index from `start` on whose coupling with the next is lost in rounding. */
function firstSplit(e: Float64Array, start: number, negligible: number): number {
  let m = start
  while (m < e.length - 1 && Math.abs(e[m]!) > negligible) m++
  return m
}

/** One QL sweep with Wilkinson's shift over rows `start` to `end`. */
function sweep(
  d: Float64Array,
  e: Float64Array,
  [start, end]: readonly [number, number],
  rotations: Rotations,
): void {
  const ratio = (d[start + 1]! - d[start]!) / (2 * e[start]!)
  const root = Math.hypot(ratio, 1)
  let g = d[end]! - d[start]! + e[start]! / (ratio + (ratio < 0 ? -root : root))
  let s = 1
  let c = 1
  let p = 0
  for (let i = end - 1; i >= start; i--) {
    const f = s * e[i]!
    const b = c * e[i]!
    const r = Math.hypot(f, g)
    e[i + 1] = r
    if (r === 0) {
      d[i + 1] = d[i + 1]! - p
      e[end] = 0
      return
    }
    s = f / r
    c = g / r
    g = d[i + 1]! - p
    const t = (d[i]! - g) * s + 2 * c * b
    p = s * t
    d[i + 1] = g + p
    g = c * t - b
    rotations.add(i, c, s)
  }
  d[start] = d[start]! - p
  e[start] = g
  e[end] = 0
}

interface Rotations {
  /** Rotates rows i and i + 1. */
  add(i: number, c: number, s: number): void
  /** Carries out what was added. */
  apply(): void
}

/** Columns rotated together, narrow enough for all of their rows to stay in the second-level cache. */
const STRIP = 32

/** Collects rotations of rows, and carries many out strip by strip instead of each over whole rows. */
function createRotations(basis: Float64Array, n: number): Rotations {
  const capacity = 32 * n
  const rows = new Int32Array(capacity)
  const cosines = new Float64Array(capacity)
  const sines = new Float64Array(capacity)
  let count = 0
  function apply(): void {
    for (let left = 0; left < n; left += STRIP) {
      const width = Math.min(STRIP, n - left)
      for (let k = 0; k < count; k++) {
        const c = cosines[k]!
        const s = sines[k]!
        const at = rows[k]! * n + left
        for (let i = at; i < at + width; i++) {
          const upper = basis[i]!
          const lower = basis[i + n]!
          basis[i + n] = s * upper + c * lower
          basis[i] = c * upper - s * lower
        }
      }
    }
    count = 0
  }
  return {
    apply,
    add(i, c, s) {
      rows[count] = i
      cosines[count] = c
      sines[count] = s
      if (++count === capacity) apply()
    },
  }
}

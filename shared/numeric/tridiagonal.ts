/** A symmetric matrix as Q T Q', T tridiagonal. */
export interface Tridiagonal {
  /** T[i, i], [n]. */
  readonly diagonal: Float64Array
  /** T[i, i + 1], [n], the last one 0. */
  readonly offDiagonal: Float64Array
  /** Q', [n, n]. */
  readonly basis: Float64Array
}

/** An update a - u w' - w u' still to be made. */
interface Pending {
  u: Float64Array
  w: Float64Array
}

/**
 * Householder tridiagonalisation: Golub and Van Loan 2013, "Matrix Computations", algorithm 8.3.1.
 *
 * Large matrices do not fit the cache, so each step passes over what is left of the matrix once: it takes
 * the last reflection off and multiplies by the next one in the same pass.
 *
 * @param a [n, n], symmetric; only its lower triangle is read
 */
export function tridiagonalize(a: Float64Array, n: number): Tridiagonal {
  const work = a.slice()
  const diagonal = new Float64Array(n)
  const offDiagonal = new Float64Array(n)
  // Row k holds the k-th reflector u, zero up to k: H = I - u u' with |u|^2 = 2, or u = 0.
  const reflectors = new Float64Array(n * n)
  const column = new Float64Array(n)
  const pending: Pending = { u: new Float64Array(n), w: new Float64Array(n) }
  for (let k = 0; k < n; k++) {
    for (let i = k; i < n; i++)
      column[i] = work[i * n + k]! - pending.u[i]! * pending.w[k]! - pending.w[i]! * pending.u[k]!
    diagonal[k] = column[k]!
    if (k === n - 1) break
    const u = reflectors.subarray(k * n, (k + 1) * n)
    offDiagonal[k] = reflector(column, k + 1, u)
    const w = updateAndMultiply(work, pending, u, k + 1)
    // a - u w' - w u' is then H a H.
    let half = 0
    for (let i = k + 1; i < n; i++) half += 0.5 * w[i]! * u[i]!
    for (let i = k + 1; i < n; i++) w[i] = w[i]! - half * u[i]!
    pending.u = u
    pending.w = w
  }
  return { diagonal, offDiagonal, basis: multiplyOut(reflectors, n) }
}

/** Writes the u that turns x[start..] into a multiple of its first unit vector; returns that multiple. */
function reflector(x: Float64Array, start: number, u: Float64Array): number {
  let scale = 0
  for (let i = start + 1; i < x.length; i++) scale = Math.max(scale, Math.abs(x[i]!))
  if (scale === 0) return x[start]!
  scale = Math.max(scale, Math.abs(x[start]!))
  let norm = 0
  for (let i = start; i < x.length; i++) norm += (x[i]! / scale) ** 2
  norm = Math.sqrt(norm)
  const first = x[start]! / scale
  const alpha = first > 0 ? -norm : norm
  // |v|^2 = 2 norm (norm + |first|) for v = x - alpha e_1.
  const factor = 1 / Math.sqrt(norm * (norm + Math.abs(first)))
  for (let i = start; i < x.length; i++) u[i] = (x[i]! / scale) * factor
  u[start] = (first - alpha) * factor
  return alpha * scale
}

/** In rows and columns from `start` on: a -= u w' + w u' of `pending`, then returns a u of the next u. */
function updateAndMultiply(
  a: Float64Array,
  pending: Pending,
  next: Float64Array,
  start: number,
): Float64Array {
  const { u, w } = pending
  const n = next.length
  const product = new Float64Array(n)
  for (let i = start; i < n; i++) {
    const ui = u[i]!
    const wi = w[i]!
    const nextI = next[i]!
    let sum = 0
    const row = i * n
    for (let j = start; j < i; j++) {
      const value = a[row + j]! - ui * w[j]! - wi * u[j]!
      a[row + j] = value
      sum += value * next[j]!
      product[j] = product[j]! + value * nextI
    }
    const value = a[row + i]! - 2 * ui * wi
    a[row + i] = value
    product[i] = product[i]! + sum + value * nextI
  }
  return product
}

/** (H_0 H_1 ... )', backwards, so that H_k meets rows and columns after k only. */
function multiplyOut(reflectors: Float64Array, n: number): Float64Array {
  const basis = new Float64Array(n * n)
  for (let i = 0; i < n; i++) basis[i * n + i] = 1
  // basis holds Q' row by row; Q' -> Q' H, one row at a time.
  for (let k = n - 2; k >= 0; k--) {
    const u = reflectors.subarray(k * n, (k + 1) * n)
    for (let i = k + 1; i < n; i++) {
      const row = i * n
      let dot = 0
      for (let j = k + 1; j < n; j++) dot += basis[row + j]! * u[j]!
      if (dot !== 0) for (let j = k + 1; j < n; j++) basis[row + j] = basis[row + j]! - dot * u[j]!
    }
  }
  return basis
}

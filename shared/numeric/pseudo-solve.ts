import type { Float64Ops } from '../engine/float64-ops.ts'
import { createFloat64Ops } from './float64.ts'

/**
 * G^+ B for a Gram matrix G = X'X, where singular values of X below `cutoff` times the largest count as 0.
 *
 * Full rank is proved by a Cholesky factorisation of G - t I, which exists exactly when all eigenvalues
 * are above t; then that of G solves the system, some 20 times faster than eigenvectors do. As
 * |G|_F is no less than the largest eigenvalue, t = cutoff^2 |G|_F errs towards the eigenvectors.
 *
 * @param G [n, n], symmetric and positive semi-definite
 * @param B [n, columns]
 * @returns [n, columns]; rows of zeros where G has them
 */
export async function pseudoSolve(
  G: Float64Array,
  B: Float64Array,
  cutoff: number,
): Promise<Float64Array> {
  const n = Math.round(Math.sqrt(G.length))
  const columns = B.length / n
  const kept = Array.from({ length: n }, (_, i) => i).filter((i) => G[i * n + i]! > 0)
  if (kept.length === 0) return new Float64Array(B.length)
  const ops = createFloat64Ops()
  try {
    if (kept.length === n) return await solveNonZero(ops, G, B, cutoff)
    const rows = new Float64Array(kept.length * columns)
    kept.forEach((i, at) => rows.set(B.subarray(i * columns, (i + 1) * columns), at * columns))
    const block = Float64Array.from(
      { length: kept.length ** 2 },
      (_, at) => G[kept[Math.floor(at / kept.length)]! * n + kept[at % kept.length]!]!,
    )
    const solution = await solveNonZero(ops, block, rows, cutoff)
    const all = new Float64Array(B.length)
    kept.forEach((i, at) =>
      all.set(solution.subarray(at * columns, (at + 1) * columns), i * columns),
    )
    return all
  } finally {
    ops.dispose()
  }
}

async function solveNonZero(
  ops: Float64Ops,
  G: Float64Array,
  B: Float64Array,
  cutoff: number,
): Promise<Float64Array> {
  const n = Math.round(Math.sqrt(G.length))
  const gram = ops.fromArray(G, n)
  const right = ops.fromArray(B, B.length / n)
  const threshold = cutoff ** 2 * Math.sqrt(G.reduce((sum, value) => sum + value * value, 0))
  const shifted = G.slice()
  for (let i = 0; i < n; i++) shifted[i * n + i] = shifted[i * n + i]! - threshold
  if ((await ops.cholesky(ops.fromArray(shifted, n))) !== undefined) {
    const lower = await ops.cholesky(gram)
    if (lower !== undefined) return ops.read(ops.choleskySolve(lower, right))
  }
  const { values, vectors } = await ops.eigen(gram)
  const smallest = cutoff ** 2 * values[n - 1]!
  const inverse = values.map((value) => (value > smallest ? 1 / value : 0))
  const coordinates = ops.scaleRows(ops.product(vectors, right, 'a'), inverse)
  return ops.read(ops.product(vectors, coordinates))
}

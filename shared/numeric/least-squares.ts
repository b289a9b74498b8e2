import * as tf from '@tensorflow/tfjs'
import type { Matrix64 } from '../engine/float64-ops.ts'
import { createFloat64Ops } from './float64.ts'
import { addColumnSquares } from './power-sums.ts'
import { pseudoSolve } from './pseudo-solve.ts'

/** The least squares solution of X W = A, and what its fit P = X W is like. */
export interface Solution {
  /** W, [columns, targets]. */
  readonly weights: Float64Array
  /** How far each fit is from its target, |p_j - a_j|^2, [targets]. */
  readonly residuals: Float64Array
  /** P'P, [targets, targets]: inner products of the fits, at no pass over X's rows. */
  fittedGram(): Promise<Float64Array>
}

/** A system X W = A whose rows come in blocks; `solve` or `dispose` ends it. */
export interface LeastSquares {
  /**
   * Adds rows. Only their products are kept, in float64, so X may be far larger than memory.
   *
   * @param X [rows, columns], float32; borrowed
   * @param A [rows, targets], float32; borrowed
   */
  add(X: tf.Tensor2D, A: tf.Tensor2D): Promise<void>
  /** W over all rows added. */
  solve(): Promise<Solution>
  dispose(): void
}

/** Numbers of X and A that are turned to float64 together: 32 MiB of them. */
const SLICE = 2 ** 22

/**
 * Least squares of minimum norm, W = pinv(X) A = (X'X)^+ X'A, where singular values of X below
 * max(rows, columns) * 2^-23 times the largest count as 0.
 *
 * That cut-off is torch.linalg.pinv's for float32. It decides how a rank-deficient system is solved, as
 * images have constant border pixels, so it stays although we compute in float64; and we do because a
 * Gram matrix squares the condition number, which float32 cannot bear.
 */
export function createLeastSquares(columns: number, targets: number): LeastSquares {
  const ops = createFloat64Ops()
  let gram = ops.fromArray(new Float64Array(columns * columns), columns) // X'X
  let cross = ops.fromArray(new Float64Array(columns * targets), targets) // X'A
  const norms = new Float64Array(targets)
  let rows = 0

  function replace(sum: Matrix64, term: Matrix64): Matrix64 {
    const next = ops.add(sum, term)
    ops.free(sum, term)
    return next
  }
  async function addSlice(X: tf.Tensor2D, A: tf.Tensor2D): Promise<void> {
    const x = await ops.fromTensor(X)
    const a = await ops.fromTensor(A)
    gram = replace(gram, ops.product(x, x, 'a'))
    cross = replace(cross, ops.product(x, a, 'a'))
    ops.free(x, a)
    addColumnSquares(norms, await A.data<'float32'>())
  }

  return {
    async add(X, A) {
      if (X.shape[0] !== A.shape[0] || X.shape[1] !== columns || A.shape[1] !== targets)
        throw new RangeError(
          `Rows [${X.shape}] and [${A.shape}] do not add to a system of ${columns} columns and ${targets} targets`,
        )
      const step = Math.max(1, Math.floor(SLICE / (columns + targets)))
      for (let row = 0; row < X.shape[0]; row += step) {
        const size = Math.min(step, X.shape[0] - row)
        const x = tf.slice(X, [row, 0], [size, columns])
        const a = tf.slice(A, [row, 0], [size, targets])
        try {
          await addSlice(x, a)
        } finally {
          tf.dispose([x, a])
        }
      }
      rows += X.shape[0]
    },
    async solve() {
      try {
        const [G, C] = [await ops.read(gram), await ops.read(cross)]
        const W = await pseudoSolve(G, C, cutoff(rows, columns))
        // P'P = W'X'X W = W'C, as (X'X)^+ X'X (X'X)^+ = (X'X)^+.
        return createSolution(W, norms, { left: W, right: C })
      } finally {
        ops.dispose()
      }
    },
    dispose: () => ops.dispose(),
  }
}

/**
 * The same for a system given whole, by the smaller Gram matrix: with fewer rows than columns,
 * W = X' (X X')^+ A.
 *
 * @param X [rows, columns]
 * @param A [rows, targets]
 */
export async function leastSquares(
  X: Float32Array,
  A: Float32Array,
  rows: number,
): Promise<Solution> {
  const columns = X.length / rows
  const targets = A.length / rows
  const x = tf.tensor2d(X, [rows, columns])
  try {
    if (rows < columns) return await leastSquaresOfRows(x, A, targets)
    const a = tf.tensor2d(A, [rows, targets])
    const system = createLeastSquares(columns, targets)
    try {
      await system.add(x, a)
      return await system.solve()
    } finally {
      a.dispose()
      system.dispose()
    }
  } finally {
    x.dispose()
  }
}

async function leastSquaresOfRows(
  X: tf.Tensor2D,
  A: Float32Array,
  targets: number,
): Promise<Solution> {
  const [rows, columns] = X.shape
  const ops = createFloat64Ops()
  try {
    const x = await ops.fromTensor(X)
    const gram = ops.product(x, x, 'b') // [rows, rows]
    const right = Float64Array.from(A)
    const Y = await pseudoSolve(await ops.read(gram), right, cutoff(rows, columns))
    const y = ops.fromArray(Y, targets)
    const weights = await ops.read(ops.product(x, y, 'a'))
    const P = await ops.read(ops.product(gram, y))
    const norms = new Float64Array(targets)
    addColumnSquares(norms, A)
    // P is an orthogonal projection of A, so P'P = P'A.
    return createSolution(weights, norms, { left: P, right })
  } finally {
    ops.dispose()
  }
}

function cutoff(rows: number, columns: number): number {
  return Math.max(rows, columns) * 2 ** -23
}

/** @param fit two matrices [any, targets] with P'P = left' right */
function createSolution(
  weights: Float64Array,
  norms: Float64Array,
  fit: Readonly<Record<'left' | 'right', Float64Array>>,
): Solution {
  const targets = norms.length
  const residuals = norms.slice()
  for (let at = 0; at < fit.left.length;)
    for (let j = 0; j < targets; j++, at++)
      residuals[j] = residuals[j]! - fit.left[at]! * fit.right[at]!
  return {
    weights,
    // |a|^2 - |p|^2, which rounding can leave below 0 where the fit is exact.
    residuals: residuals.map((value) => Math.max(0, value)),
    async fittedGram() {
      const ops = createFloat64Ops()
      try {
        const [left, right] = [ops.fromArray(fit.left, targets), ops.fromArray(fit.right, targets)]
        return await ops.read(ops.product(left, right, 'a'))
      } finally {
        ops.dispose()
      }
    },
  }
}

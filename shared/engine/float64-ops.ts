import type * as tf from '@tensorflow/tfjs'

/** A matrix of float64 somewhere in the engine; its numbers come out with {@link Float64Ops.read}. */
export interface Matrix64 {
  readonly rows: number
  readonly columns: number
}

/**
 * Linear algebra in float64, which TensorFlow.js has no dtype for. What an operation returns belongs to
 * these ops: `free` ends it early, `dispose` ends all of it. Arguments are borrowed.
 */
export interface Float64Ops {
  /** @param x [rows, columns], float32 */
  fromTensor(x: tf.Tensor2D): Promise<Matrix64>
  /** @param values [rows, columns], row by row; kept or copied, so leave it unchanged */
  fromArray(values: Float64Array, columns: number): Matrix64
  /** The numbers, row by row; perhaps the matrix itself, so leave them unchanged. */
  read(a: Matrix64): Promise<Float64Array>
  /** op(a) op(b), where op transposes what `transpose` names. */
  product(a: Matrix64, b: Matrix64, transpose?: 'a' | 'b'): Matrix64
  add(a: Matrix64, b: Matrix64): Matrix64
  /** diag(factors) a. */
  scaleRows(a: Matrix64, factors: Float64Array): Matrix64
  /** Eigenvalues, ascending, and orthonormal eigenvectors as columns, of a symmetric matrix. */
  eigen(a: Matrix64): Promise<{ values: Float64Array; vectors: Matrix64 }>
  /** Lower triangular L with L L' = a, undefined unless the symmetric `a` is positive definite. */
  cholesky(a: Matrix64): Promise<Matrix64 | undefined>
  /** x with L L' x = b. */
  choleskySolve(lower: Matrix64, b: Matrix64): Matrix64
  free(...matrices: readonly Matrix64[]): void
  dispose(): void
}

import * as tf from '@tensorflow/tfjs'
import { createFloat64Ops } from './float64.ts'

/** Numbers turned to float64 together: 32 MiB of them. */
const SLICE = 2 ** 22

/**
 * Inner products of the rows (X X') or of the columns (X'X) of a matrix, summed in float64.
 *
 * @param x [rows, columns], float32; borrowed
 * @returns [n, n], n the number of vectors
 */
export function gram(x: tf.Tensor2D, vectors: 'rows' | 'columns'): Promise<Float64Array> {
  return products(x, x, vectors)
}

/**
 * Inner products of the columns of two matrices of as many rows, A'B, summed in float64.
 *
 * @param a [row, i], float32; borrowed
 * @param b [row, j], float32; borrowed
 * @returns [i, j]
 */
export function columnProducts(a: tf.Tensor2D, b: tf.Tensor2D): Promise<Float64Array> {
  return products(a, b, 'columns')
}

async function products(
  a: tf.Tensor2D,
  b: tf.Tensor2D,
  vectors: 'rows' | 'columns',
): Promise<Float64Array> {
  const [along, across] = vectors === 'rows' ? [1, 0] : [0, 1]
  const [n, m, length] = [a.shape[across]!, b.shape[across]!, a.shape[along]!]
  const step = Math.max(1, Math.floor(SLICE / Math.max(n, m)))
  const ops = createFloat64Ops()
  try {
    let sum = ops.fromArray(new Float64Array(n * m), m)
    for (let start = 0; start < length; start += step) {
      const part = [start, Math.min(step, length - start)] as const
      const slices = [a, ...(a === b ? [] : [b])].map((x) => sliceAlong(x, along, part))
      try {
        const values = await Promise.all(slices.map((slice) => ops.fromTensor(slice)))
        const product = ops.product(values[0]!, values.at(-1)!, vectors === 'rows' ? 'b' : 'a')
        const next = ops.add(sum, product)
        ops.free(...values, product, sum)
        sum = next
      } finally {
        tf.dispose(slices)
      }
    }
    return await ops.read(sum)
  } finally {
    ops.dispose()
  }
}

function sliceAlong(
  x: tf.Tensor2D,
  axis: number,
  [start, size]: readonly [number, number],
): tf.Tensor2D {
  return axis === 0
    ? tf.slice(x, [start, 0], [size, x.shape[1]])
    : tf.slice(x, [0, start], [x.shape[0], size])
}

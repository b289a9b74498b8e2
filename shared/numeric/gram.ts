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
export async function gram(x: tf.Tensor2D, vectors: 'rows' | 'columns'): Promise<Float64Array> {
  const [along, across] = vectors === 'rows' ? [1, 0] : [0, 1]
  const count = x.shape[across]!
  const step = Math.max(1, Math.floor(SLICE / count))
  const ops = createFloat64Ops()
  try {
    let sum = ops.fromArray(new Float64Array(count * count), count)
    for (let start = 0; start < x.shape[along]!; start += step) {
      const slice = sliceAlong(x, along, [start, Math.min(step, x.shape[along]! - start)])
      try {
        const values = await ops.fromTensor(slice)
        const product = ops.product(values, values, vectors === 'rows' ? 'b' : 'a')
        const next = ops.add(sum, product)
        ops.free(values, product, sum)
        sum = next
      } finally {
        slice.dispose()
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

import * as tf from '@tensorflow/tfjs'
import { gram } from '../../shared/numeric/gram.ts'

/**
 * Distances |a_i - b_j| between the columns of two matrices, summed in float64: how unlike neurons are in
 * what they do.
 *
 * @param a [row, i]; borrowed
 * @param b [row, j]; borrowed
 * @returns [i, j], row-major
 */
export async function columnDistances(a: tf.Tensor2D, b: tf.Tensor2D): Promise<Float64Array> {
  const [n, m] = [a.shape[1], b.shape[1]]
  const both = tf.concat([a, b], 1)
  try {
    const products = await gram(both, 'columns')
    const at = (i: number, j: number) => products[i * (n + m) + j]!
    return Float64Array.from({ length: n * m }, (_, k) => {
      const [i, j] = [Math.floor(k / m), n + (k % m)]
      return Math.sqrt(Math.max(0, at(i, i) + at(j, j) - 2 * at(i, j)))
    })
  } finally {
    both.dispose()
  }
}

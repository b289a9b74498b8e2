import type * as tf from '@tensorflow/tfjs'
import { columnProducts } from '../../shared/numeric/gram.ts'
import { addColumnSquares } from '../../shared/numeric/power-sums.ts'

/**
 * Distances |a_i - b_j| between the columns of two matrices, summed in float64: how unlike neurons are in
 * what they do.
 *
 * @param a [row, i]; borrowed
 * @param b [row, j]; borrowed
 * @returns [i, j], row-major
 */
export async function columnDistances(a: tf.Tensor2D, b: tf.Tensor2D): Promise<Float64Array> {
  const [squaresOfA, squaresOfB] = [await columnSquares(a), await columnSquares(b)]
  const distances = await columnProducts(a, b)
  for (let i = 0, at = 0; i < squaresOfA.length; i++) {
    for (let j = 0; j < squaresOfB.length; j++, at++) {
      const squared = squaresOfA[i]! + squaresOfB[j]! - 2 * distances[at]!
      distances[at] = Math.sqrt(Math.max(0, squared))
    }
  }
  return distances
}

/** |x_j|^2 of each column, [j]. */
async function columnSquares(x: tf.Tensor2D): Promise<Float64Array> {
  const squares = new Float64Array(x.shape[1])
  addColumnSquares(squares, await x.data<'float32'>())
  return squares
}

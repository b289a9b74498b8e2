import * as tf from '@tensorflow/tfjs'
import type { Rng } from '../../shared/numeric/rng.ts'

/**
 * More inputs than the proxy set has: mixtures `a x_i + (1 - a) x_j` of two of its inputs, a uniform in
 * [0, 1] (mixup, Zhang et al. 2018, arXiv 1710.09412, without labels). What the parents say of them tells
 * more of the function they compute than the few proxy examples do.
 *
 * @param x [example, ...]; borrowed
 * @returns [count, ...]; the caller owns it
 */
export function mixedInputs(x: tf.Tensor, count: number, rng: Rng): tf.Tensor {
  const size = x.shape[0]!
  const draw = () => Int32Array.from({ length: count }, () => Math.floor(rng.next() * size))
  const shares = Float32Array.from({ length: count }, () => rng.next())
  return tf.tidy(() => {
    const [first, second] = [draw(), draw()].map((rows) => tf.gather(x, tf.tensor1d(rows, 'int32')))
    const share = tf.tensor(shares, [count, ...x.shape.slice(1).map(() => 1)])
    return tf.add(tf.mul(first!, share), tf.mul(second!, tf.sub(1, share)))
  })
}

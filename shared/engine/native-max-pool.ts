import * as tf from '@tensorflow/tfjs'
import type { NativeOps } from './native-ops.ts'

/**
 * Max pooling by windows of 2 x 2 that neither overlap nor leave anything over, as two steps of pairwise
 * maxima: rows, then columns. For a TensorFlow without oneDNN, whose pooling is faster still: its own
 * MaxPoolGrad searches every window anew, value by value; there and back take 2.0 ms this way for
 * [64,28,28,6], and 3.0 ms with MaxPool and MaxPoolGrad.
 *
 * The first maximum of a window gets the gradient, as in TensorFlow, but where the largest two of a window
 * are equal and lie lower left and upper right: then it is the lower left one.
 *
 * Call it in `tf.tidy`: `back` needs what lies between.
 *
 * @param x [batch, height, width, channel], height and width even; borrowed
 * @returns y [batch, height / 2, width / 2, channel], and the gradient at x that a gradient at y gives
 */
export function pairwiseMaxPool(
  native: NativeOps,
  x: tf.Tensor4D,
): { y: tf.Tensor; back: (dy: tf.Tensor) => tf.Tensor } {
  const [batch, height, width, channels] = x.shape
  const rows = pairMax(native, tf.reshape(x, [(batch * height) / 2, 2, width * channels]))
  const columns = pairMax(native, tf.reshape(rows.y, [(batch * height * width) / 4, 2, channels]))
  return {
    y: tf.reshape(columns.y, [batch, height / 2, width / 2, channels]),
    back: (dy) => {
      const dRows = columns.back(tf.reshape(dy, columns.y.shape))
      return tf.reshape(rows.back(tf.reshape(dRows, rows.y.shape)), x.shape)
    },
  }
}

/** Maximum of each pair, [n, 2, size] -> [n, 1, size]; the first of equals gets the gradient. */
function pairMax(native: NativeOps, pairs: tf.Tensor) {
  const [first, second] = tf.split(pairs, 2, 1) as [tf.Tensor, tf.Tensor] // [n, 1, size] each
  return {
    y: tf.maximum(first, second),
    back(dy: tf.Tensor): tf.Tensor {
      const dSecond = native.reluGrad(dy, tf.sub(second, first))
      return tf.concat([tf.sub(dy, dSecond), dSecond], 1)
    },
  }
}

import * as tf from '@tensorflow/tfjs'
import { nativeOps } from '../engine/native-ops.ts'

/** A loss and where it leads. */
export interface LossAndGradient {
  readonly loss: tf.Scalar
  /** d loss / d logits, [batch, class]. */
  readonly dLogits: tf.Tensor2D
}

/**
 * Mean softmax cross-entropy, L = -1/n sum_i log softmax(z_i)[y_i], and dL/dz = (softmax(z) - onehot(y)) / n.
 * Call it in `tf.tidy`: the caller owns both results and what lies between.
 *
 * @param logits z, [batch, class]; borrowed
 * @param labels y, [batch]
 */
export function crossEntropy(logits: tf.Tensor2D, labels: Int32Array): LossAndGradient {
  const [n, numClasses] = logits.shape
  const native = nativeOps()
  if (native !== undefined) {
    const [losses, gradients] = native.softmaxCrossEntropy(logits, tf.tensor1d(labels, 'int32'))
    return { loss: tf.mean(losses), dLogits: tf.div(gradients, n) }
  }
  const targets = new Float32Array(n * numClasses)
  for (const [i, label] of labels.entries()) targets[i * numClasses + label] = 1
  const y = tf.tensor2d(targets, [n, numClasses])
  const logProbabilities = tf.logSoftmax(logits)
  return {
    loss: tf.div(tf.sum(tf.mul(logProbabilities, y)), -n),
    dLogits: tf.div(tf.sub(tf.exp(logProbabilities), y), n),
  }
}

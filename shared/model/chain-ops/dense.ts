import * as tf from '@tensorflow/tfjs'
import { columnSums, type ChainOp } from './chain-op.ts'

/** y = x W + b, [batch, in] -> [batch, out]. */
export function dense(layer: tf.layers.Layer): ChainOp {
  return {
    kind: 'kernel',
    layer: layer.name,
    variables: layer.trainableWeights,
    forward(x, [kernel, bias]) {
      const product = tf.matMul(x, kernel as tf.Tensor2D)
      return {
        y: bias === undefined ? product : tf.add(product, bias),
        back: (dy, needs) => ({
          ...(needs.input && { dx: tf.matMul(dy, kernel!, false, true) }),
          dWeights: needs.weights
            ? [tf.matMul(x, dy, true, false), ...(bias === undefined ? [] : [columnSums(dy)])]
            : [],
        }),
      }
    },
  }
}

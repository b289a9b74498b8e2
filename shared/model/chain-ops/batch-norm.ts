import * as tf from '@tensorflow/tfjs'
import { columnSums, unsupported, type ChainOp } from './chain-op.ts'

/** y = gamma (x - mean) / sqrt(variance + epsilon) + beta, along the last axis (Ioffe & Szegedy 2015). */
export function batchNorm(layer: tf.layers.Layer): ChainOp {
  const { axis, scale, center, epsilon, momentum } = layer.getConfig()
  const lastAxis = (layer.input as tf.SymbolicTensor).shape.length - 1
  if (axis !== -1 && axis !== lastAxis) throw unsupported(layer, 'does not normalise the last axis')
  if (scale !== true || center !== true) throw unsupported(layer, 'has no gamma or no beta')
  const [movingMean, movingVariance] = layer.nonTrainableWeights
  return {
    kind: 'batch-norm',
    layer: layer.name,
    variables: layer.trainableWeights,
    forward(x, [gamma, beta], { training }) {
      const axes = x.shape.slice(0, -1).map((_, i) => i)
      const isTraining = training !== undefined
      const { mean, variance } = isTraining
        ? tf.moments(x, axes) // [channel]
        : { mean: movingMean!.read(), variance: movingVariance!.read() }
      if (isTraining) {
        move(movingMean!, mean, momentum as number)
        move(movingVariance!, variance, momentum as number)
      }
      const inverse = tf.rsqrt(tf.add(variance, epsilon as number)) // [channel]
      const normalized = tf.mul(tf.sub(x, mean), inverse)
      return {
        y: tf.add(tf.mul(normalized, gamma!), beta!),
        back(dy, needs) {
          const dBeta = columnSums(dy)
          const dGamma = columnSums(tf.mul(dy, normalized))
          const dNormalized = tf.mul(dy, tf.mul(gamma!, inverse))
          const n = x.size / dBeta.size
          // Mean and variance move with x only while training; frozen they are constants.
          const correction = () =>
            tf.mul(tf.add(dBeta, tf.mul(normalized, dGamma)), tf.div(tf.mul(gamma!, inverse), n))
          return {
            ...(needs.input && {
              dx: isTraining ? tf.sub(dNormalized, correction()) : dNormalized,
            }),
            dWeights: needs.weights ? [dGamma, dBeta] : [],
          }
        },
      }
    },
  }
}

function move(moving: tf.LayerVariable, value: tf.Tensor, momentum: number): void {
  moving.write(tf.add(tf.mul(moving.read(), momentum), tf.mul(value, 1 - momentum)))
}

import * as tf from '@tensorflow/tfjs'
import type { Role } from '../neurons.ts'
import { columnSums, type Op, unsupported, weightsOf } from './op.ts'

/** y = gamma (x - mean) / sqrt(variance + epsilon) + beta, along the last axis (Ioffe & Szegedy 2015). */
export function batchNorm(layer: tf.layers.Layer): Op {
  const { axis, epsilon, momentum } = layer.getConfig() as Record<string, number>
  const lastAxis = (layer.input as tf.SymbolicTensor).shape.length - 1
  if (axis !== -1 && axis !== lastAxis) throw unsupported(layer, 'does not normalise the last axis')
  const weights = weightsOf(layer)
  const roles = weights.map(({ name }) => name.slice(name.lastIndexOf('.') + 1) as Role)
  const [movingMean, movingVariance] = weights.slice(-2)
  return {
    kind: 'batch-norm',
    layer: layer.name,
    weights,
    epsilon: epsilon!,
    forward([x], values, { training }) {
      const of = (role: Role) => values[roles.indexOf(role)]
      const [gamma, beta] = [of('gamma'), of('beta')]
      const axes = x!.shape.slice(0, -1).map((_, i) => i)
      const isTraining = training !== undefined
      const { mean, variance } = isTraining
        ? tf.moments(x!, axes) // [channel]
        : { mean: of('movingMean')!, variance: of('movingVariance')! }
      if (isTraining) {
        const move = (from: tf.Tensor, to: tf.Tensor) =>
          tf.add(tf.mul(from, momentum!), tf.mul(to, 1 - momentum!))
        training.onMoved(movingMean!.name, move(of('movingMean')!, mean))
        training.onMoved(movingVariance!.name, move(of('movingVariance')!, variance))
      }
      const inverse = tf.rsqrt(tf.add(variance, epsilon!)) // [channel]
      const normalized = tf.mul(tf.sub(x!, mean), inverse)
      const scaled = gamma === undefined ? normalized : tf.mul(normalized, gamma)
      return {
        y: beta === undefined ? scaled : tf.add(scaled, beta),
        back(dy, needs) {
          const slope = gamma === undefined ? inverse : tf.mul(gamma, inverse)
          // Mean and variance move with x only while training; frozen they are constants.
          if (!isTraining && !needs.weights) return { dInputs: [tf.mul(dy, slope)], dWeights: [] }
          const dBeta = columnSums(dy)
          const dGamma = columnSums(tf.mul(dy, normalized))
          const n = x!.size / dBeta.size
          const correction = () =>
            tf.mul(tf.add(dBeta, tf.mul(normalized, dGamma)), tf.div(slope, n))
          const dx = () => {
            const dNormalized = tf.mul(dy, slope)
            return isTraining ? tf.sub(dNormalized, correction()) : dNormalized
          }
          return {
            dInputs: needs.inputs ? [dx()] : [],
            dWeights: needs.weights
              ? [...(gamma === undefined ? [] : [dGamma]), ...(beta === undefined ? [] : [dBeta])]
              : [],
          }
        },
      }
    },
    trace([input], trace) {
      weights.forEach(({ name }, i) => {
        trace.addAxis({ weight: name, axis: 0, role: roles[i]!, layout: input! })
      })
      return input!
    },
  }
}

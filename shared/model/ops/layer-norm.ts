import * as tf from '@tensorflow/tfjs'
import type { Role } from '../neurons.ts'
import { type Op, taped, unsupported, weightsOf } from './op.ts'

/**
 * y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with the moments of each position over its own
 * last axis (Ba et al. 2016, arXiv:1607.06450). The one op in which neurons of a level meet: of two
 * networks side by side it takes the moments over both.
 */
export function layerNorm(layer: tf.layers.Layer): Op {
  const { axis, epsilon } = layer.getConfig()
  const lastAxis = (layer.input as tf.SymbolicTensor).shape.length - 1
  const axes = [axis].flat()
  if (axes.length !== 1 || (axes[0] !== -1 && axes[0] !== lastAxis)) {
    throw unsupported(layer, 'does not normalise the last axis')
  }
  const weights = weightsOf(layer)
  const roles = weights.map(({ name }) => name.slice(name.lastIndexOf('.') + 1) as Role)
  return taped(
    {
      kind: 'other',
      layer: layer.name,
      weights,
      trace([input], trace) {
        weights.forEach(({ name }, i) => {
          trace.addAxis({ weight: name, axis: 0, role: roles[i]!, layout: input! })
        })
        return input!
      },
    },
    ([x], values) => {
      const [gamma, beta] = [values[roles.indexOf('gamma')], values[roles.indexOf('beta')]]
      const mean = tf.mean(x!, -1, true)
      const centred = tf.sub(x!, mean)
      const variance = tf.mean(tf.square(centred), -1, true)
      const normalized = tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon as number)))
      const scaled = gamma === undefined ? normalized : tf.mul(normalized, gamma)
      return beta === undefined ? scaled : tf.add(scaled, beta)
    },
  )
}

import * as tf from '@tensorflow/tfjs'
import { nativeOps } from '../../engine/native-ops.ts'
import { type Op, unsupported, weightless } from './op.ts'

/** Functions of one number that a layer may apply to each of its outputs, by tfjs's names. */
const FUNCTIONS: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> = {
  elu: (x) => tf.elu(x),
  gelu: (x) => tf.mul(x, normalCdf(x)),
  relu6: (x) => tf.relu6(x),
  selu: (x) => tf.selu(x),
  sigmoid: (x) => tf.sigmoid(x),
  softplus: (x) => tf.softplus(x),
  softsign: (x) => tf.div(x, tf.add(tf.abs(x), 1)),
  swish: (x) => tf.mul(x, tf.sigmoid(x)),
  tanh: (x) => tf.tanh(x),
}

/** The activation that a layer of any kind ends in: no op, or one. */
export function activationOf(layer: tf.layers.Layer): Op[] {
  const name = layer.getConfig()['activation'] as string | undefined
  if (name === undefined || name === 'linear') return []
  return [activationOp(layer, name)]
}

/** A layer that is nothing but an activation. */
export function activation(layer: tf.layers.Layer): Op[] {
  switch (layer.getClassName()) {
    case 'ReLU': {
      const { maxValue } = layer.getConfig()
      if (typeof maxValue !== 'number') return [relu(layer)]
      if (maxValue !== 6) throw unsupported(layer, `is capped at ${maxValue}`)
      return [activationOp(layer, 'relu6')]
    }
    case 'LeakyReLU': {
      const alpha = (layer.getConfig()['alpha'] as number | undefined) ?? 0.3
      return [elementwise(layer, (x) => tf.leakyRelu(x, alpha))]
    }
    case 'ELU':
      return [activationOp(layer, 'elu')]
    case 'Softmax':
      return [activationOp(layer, 'softmax')]
    default:
      return activationOf(layer)
  }
}

function activationOp(layer: tf.layers.Layer, name: string): Op {
  if (name === 'relu') return relu(layer)
  const run = FUNCTIONS[name]
  if (run === undefined) {
    const why = name === 'softmax' ? ': Graft works on logits, so leave the softmax out' : ''
    throw unsupported(layer, `applies ${name}${why}`)
  }
  return elementwise(layer, run)
}

/** y = max(x, 0); its gradient at 0 is 0. */
function relu(layer: tf.layers.Layer): Op {
  return weightless(layer, 'relu', (x) => {
    const y = tf.relu(x)
    const native = nativeOps()
    return { y, back: (dy) => native?.reluGrad(dy, y) ?? tf.mul(dy, tf.step(y)) }
  })
}

function elementwise(layer: tf.layers.Layer, run: (x: tf.Tensor) => tf.Tensor): Op {
  return weightless(layer, 'activation', (x) => ({
    y: run(x),
    back: (dy) => tf.grad(run)(x, dy),
  }))
}

/** Distribution function of the standard normal; GELU: Hendrycks & Gimpel 2016, arXiv:1606.08415. */
function normalCdf(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5)
}

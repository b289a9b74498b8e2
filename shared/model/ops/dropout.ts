import * as tf from '@tensorflow/tfjs'
import { type Op, weightless } from './op.ts'

/** Zeros a share of the inputs while training, and scales the rest up to keep the mean. */
export function dropout(layer: tf.layers.Layer): Op {
  const rate = layer.getConfig()['rate'] as number
  return weightless(layer, 'other', (x, { training }) => {
    if (training === undefined) return { y: x, back: (dy) => dy }
    const seed = training.rng.split(layer.name).tfSeed()
    const draws = tf.randomUniform(x.shape, 0, 1, 'float32', seed)
    const mask = tf.div(tf.step(tf.sub(draws, rate)), 1 - rate)
    return { y: tf.mul(x, mask), back: (dy) => tf.mul(dy, mask) }
  })
}

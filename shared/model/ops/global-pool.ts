import * as tf from '@tensorflow/tfjs'
import { assertChannelsLast, type Op, weightless } from './op.ts'

/** The mean of each channel over all places of a map, [batch, ..., channel] -> [batch, channel]. */
export function globalAveragePool(layer: tf.layers.Layer): Op {
  assertChannelsLast(layer)
  return weightless(layer, 'other', (x) => {
    const places = x.shape.slice(1, -1)
    const count = places.reduce((product, dim) => product * dim, 1)
    return {
      y: tf.mean(tf.reshape(x, [x.shape[0], count, -1]), 1),
      back: (dy) => {
        const one = tf.reshape(dy, [x.shape[0], ...places.map(() => 1), x.shape.at(-1)!])
        return tf.tile(tf.div(one, count), [1, ...places, 1])
      },
    }
  })
}

/** The largest value of each channel over all places of a map; each of equals gets the gradient. */
export function globalMaxPool(layer: tf.layers.Layer): Op {
  assertChannelsLast(layer)
  const run = (x: tf.Tensor) => tf.max(tf.reshape(x, [x.shape[0], -1, x.shape.at(-1)!]), 1)
  return weightless(layer, 'max-pool', (x) => ({ y: run(x), back: (dy) => tf.grad(run)(x, dy) }))
}

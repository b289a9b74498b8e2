import * as tf from '@tensorflow/tfjs'
import { weightless, type ChainOp } from './chain-op.ts'

/** [batch, ...] -> [batch, size]. */
export function flatten(layer: tf.layers.Layer): ChainOp {
  return weightless(layer, 'other', (x) => ({
    y: tf.reshape(x, [x.shape[0], -1]),
    back: (dy) => tf.reshape(dy, x.shape),
  }))
}

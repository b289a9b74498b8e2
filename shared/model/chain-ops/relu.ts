import * as tf from '@tensorflow/tfjs'
import { nativeOps } from '../../engine/native-ops.ts'
import { unsupported, weightless, type ChainOp } from './chain-op.ts'

/** y = max(x, 0); its gradient at 0 is 0. */
export function relu(layer: tf.layers.Layer): ChainOp {
  const { maxValue } = layer.getConfig()
  if (typeof maxValue === 'number') throw unsupported(layer, 'is capped')
  return weightless(layer, 'relu', (x) => {
    const y = tf.relu(x)
    const native = nativeOps()
    return { y, back: (dy) => native?.reluGrad(dy, y) ?? tf.mul(dy, tf.step(y)) }
  })
}

/** The activation that a dense, conv2d or activation layer ends in: none or relu. */
export function activation(layer: tf.layers.Layer): ChainOp[] {
  const name = layer.getConfig()['activation'] as string
  if (name === 'linear') return []
  if (name === 'relu') return [relu(layer)]
  throw unsupported(layer, `applies ${name}`)
}

import * as tf from '@tensorflow/tfjs'
import { repeat } from '../neuron-trace.ts'
import { sizeOf } from '../weights.ts'
import { assertChannelsLast, type Op, unsupported, weightless } from './op.ts'

/** [batch, ...] -> [batch, size]. */
export function flatten(layer: tf.layers.Layer): Op {
  assertChannelsLast(layer)
  const places = (layer.input as tf.SymbolicTensor).shape.slice(1, -1)
  return {
    ...weightless(layer, 'flatten', (x) => ({
      y: tf.reshape(x, [x.shape[0], -1]),
      back: (dy) => tf.reshape(dy, x.shape),
    })),
    trace([input]) {
      if (places.includes(null)) throw unsupported(layer, 'reads maps whose size is not fixed')
      return repeat(input!, sizeOf(places as number[]))
    },
  }
}

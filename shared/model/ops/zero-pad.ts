import * as tf from '@tensorflow/tfjs'
import { assertChannelsLast, type Op, weightless } from './op.ts'

/** Rows and columns of zeros around a map. */
export function zeroPad2d(layer: tf.layers.Layer): Op {
  assertChannelsLast(layer)
  const { padding } = layer.getConfig()
  const [rows, columns] = padding as [[number, number], [number, number]]
  return weightless(layer, 'other', (x) => ({
    y: tf.pad(x, [[0, 0], rows, columns, [0, 0]]),
    back: (dy) => tf.slice(dy, [0, rows[0], columns[0], 0], x.shape),
  }))
}

import * as tf from '@tensorflow/tfjs'
import { type Op, unsupported, weightless } from './op.ts'

/** Rows and columns of zeros around a map. */
export function zeroPad2d(layer: tf.layers.Layer): Op {
  const { padding, dataFormat } = layer.getConfig()
  if (dataFormat === 'channelsFirst') throw unsupported(layer, 'wants channels first')
  const [rows, columns] = padding as [[number, number], [number, number]]
  return weightless(layer, 'other', (x) => ({
    y: tf.pad(x, [[0, 0], rows, columns, [0, 0]]),
    back: (dy) => tf.slice(dy, [0, rows[0], columns[0], 0], x.shape),
  }))
}

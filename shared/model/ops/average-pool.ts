import * as tf from '@tensorflow/tfjs'
import { windowOf } from './conv2d.ts'
import { type Op, weightless } from './op.ts'
import { type ConvWindow, shiftedWindows } from './shifted-windows.ts'

/** The mean of each window, [batch, height, width, channel]; what lies outside of the map does not count. */
export function averagePool2d(layer: tf.layers.Layer): Op {
  const size = layer.getConfig()['poolSize'] as [number, number]
  return averagePoolOp(layer, { size, ...windowOf(layer) })
}

/** @param window [height, width] of the window, and how far apart windows are */
export function averagePoolOp(
  layer: tf.layers.Layer,
  { size, ...window }: ConvWindow & { readonly size: [number, number] },
): Op {
  return weightless(layer, 'other', (x) => {
    const input = x as tf.Tensor4D
    const sums = (map: tf.Tensor) =>
      tf.addN(shiftedWindows(map as tf.Tensor4D, { size, ...window }).flat())
    return {
      y: tf.avgPool(input, size, window.strides, window.pad),
      back(dy) {
        const seen = sums(tf.onesLike(input))
        return tf.grad((map: tf.Tensor) => tf.div(sums(map), seen))(input, dy)
      },
    }
  })
}

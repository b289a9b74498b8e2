import * as tf from '@tensorflow/tfjs'
import { windowOf } from './conv2d.ts'
import { type Op, weightless } from './op.ts'
import type { ConvWindow } from './shifted-windows.ts'

/** The mean of each window, [batch, height, width, channel]; what lies outside of the map does not count. */
export function averagePool2d(layer: tf.layers.Layer): Op {
  const size = layer.getConfig()['poolSize'] as [number, number]
  return averagePoolOp(layer, { size, ...windowOf(layer) })
}

/** @param window [height, width] of the window, and how far apart windows are */
export function averagePoolOp(
  layer: tf.layers.Layer,
  { size, strides, pad }: ConvWindow & { readonly size: [number, number] },
): Op {
  const run = (x: tf.Tensor) => tf.avgPool(x as tf.Tensor4D, size, strides, pad)
  return weightless(layer, 'other', (x) => ({ y: run(x), back: (dy) => tf.grad(run)(x, dy) }))
}

import * as tf from '@tensorflow/tfjs'
import { pairwiseMaxPool } from '../../engine/native-max-pool.ts'
import { hasOneDnnMaxPool, oneDnnMaxPool } from '../../engine/native-onednn-max-pool.ts'
import { nativeOps } from '../../engine/native-ops.ts'
import { windowOf } from './conv2d.ts'
import type { ConvWindow } from './shifted-windows.ts'
import { type Op, runKernel, weightless } from './op.ts'

/** The largest value of each window; the first one of equals gets the gradient. */
export function maxPool2d(layer: tf.layers.Layer): Op {
  const size = layer.getConfig()['poolSize'] as [number, number]
  return maxPoolOp(layer, { size, ...windowOf(layer) })
}

/** @param window [height, width] of the window, and how far apart windows are */
export function maxPoolOp(
  layer: tf.layers.Layer,
  { size, strides, pad }: ConvWindow & { readonly size: [number, number] },
): Op {
  const isByTwo = [...size, ...strides].every((length) => length === 2)
  return weightless(layer, 'max-pool', (input, { training }) => {
    const x = input as tf.Tensor4D
    // Inference and attribution keep to the kernel that treats equals as the other engines do, and where
    // no example can spoil the rest of its batch.
    const native = training === undefined ? undefined : nativeOps()
    if (native !== undefined && hasOneDnnMaxPool(native)) {
      return oneDnnMaxPool(native, x, { size, strides, pad })
    }
    const isEven = x.shape[1] % 2 === 0 && x.shape[2] % 2 === 0
    if (native !== undefined && isByTwo && isEven) return pairwiseMaxPool(native, x)
    const output = tf.maxPool(x, size, strides, pad)
    const attributes = { filterSize: size, strides, pad }
    return {
      y: output,
      back: (dy) => runKernel('MaxPoolGrad', { dy, input: x, output }, attributes),
    }
  })
}

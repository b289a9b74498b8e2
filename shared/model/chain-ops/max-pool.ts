import * as tf from '@tensorflow/tfjs'
import { pairwiseMaxPool } from '../../engine/native-max-pool.ts'
import { hasOneDnnMaxPool, oneDnnMaxPool } from '../../engine/native-onednn-max-pool.ts'
import { nativeOps } from '../../engine/native-ops.ts'
import { runKernel, unsupported, weightless, type ChainOp } from './chain-op.ts'

/** The largest value of each window; the first one of equals gets the gradient. */
export function maxPool(layer: tf.layers.Layer): ChainOp {
  const { poolSize, strides, padding, dataFormat } = layer.getConfig()
  if (dataFormat === 'channelsFirst') throw unsupported(layer, 'wants channels first')
  const filterSize = poolSize as [number, number]
  const stride = strides as [number, number]
  const pad = padding as 'same' | 'valid'
  const isByTwo = [...filterSize, ...stride].every((size) => size === 2)
  return weightless(layer, 'max-pool', (input, { training }) => {
    const x = input as tf.Tensor4D
    // Inference and attribution keep to the kernel that treats equals as the other engines do, and where
    // no example can spoil the rest of its batch.
    const native = training === undefined ? undefined : nativeOps()
    if (native !== undefined && hasOneDnnMaxPool(native)) {
      return oneDnnMaxPool(native, x, { size: filterSize, strides: stride, pad })
    }
    const isEven = x.shape[1] % 2 === 0 && x.shape[2] % 2 === 0
    if (native !== undefined && isByTwo && isEven) return pairwiseMaxPool(native, x)
    const output = tf.maxPool(x, filterSize, stride, pad)
    const attributes = { filterSize, strides: stride, pad }
    return {
      y: output,
      back: (dy) => runKernel('MaxPoolGrad', { dy, input: x, output }, attributes),
    }
  })
}

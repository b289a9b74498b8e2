import * as tf from '@tensorflow/tfjs'
import { pairwiseMaxPool } from '../../engine/native-max-pool.ts'
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
    const native = nativeOps()
    const isEven = x.shape[1] % 2 === 0 && x.shape[2] % 2 === 0
    // Attribution keeps to the kernel that treats equals as the other engines do.
    if (native !== undefined && training !== undefined && isByTwo && isEven) {
      return pairwiseMaxPool(native, x)
    }
    const output = tf.maxPool(x, filterSize, stride, pad)
    const attributes = { filterSize, strides: stride, pad }
    return {
      y: output,
      back: (dy) => runKernel('MaxPoolGrad', { dy, input: x, output }, attributes),
    }
  })
}

import * as tf from '@tensorflow/tfjs'
import { addBias } from './add-bias.ts'
import { conv2dOp, windowOf } from './conv2d.ts'
import { stretch } from '../neuron-trace.ts'
import { type Op, type OpWeight, taped, weightsOf } from './op.ts'
import { type ConvWindow, shiftedWindows } from './shifted-windows.ts'

/** Each channel filtered on its own, [batch, height, width, in] -> [batch, height', width', in * multiplier]. */
export function depthwiseConv2d(layer: tf.layers.Layer): Op[] {
  const [kernel, bias] = weightsOf(layer)
  const filter = depthwiseOp(layer, kernel!)
  return bias === undefined ? [filter] : [filter, addBias(layer.name, bias)]
}

/** A depthwise convolution and a 1x1 convolution behind it (Chollet 2017, arXiv:1610.02357). */
export function separableConv2d(layer: tf.layers.Layer): Op[] {
  const [depthwise, pointwise, bias] = weightsOf(layer)
  const mix = conv2dOp(layer.name, {
    kernel: pointwise!,
    bias,
    filters: layer.getConfig()['filters'] as number,
    strides: [1, 1],
    pad: 'valid',
  })
  return [depthwiseOp(layer, depthwise!), mix]
}

/** The channels it makes are those it reads: each neuron becomes `multiplier` positions. */
function depthwiseOp(layer: tf.layers.Layer, kernel: OpWeight): Op {
  const window = windowOf(layer)
  // A separable layer does not tell its multiplier.
  const multiplier = layer.weights[0]!.shape[3]!
  const op: Pick<Op, 'kind' | 'layer' | 'weights' | 'trace'> = {
    kind: 'other',
    layer: layer.name,
    weights: [kernel],
    trace([input], trace) {
      trace.addAxis({ weight: kernel.name, axis: 2, role: 'kernel', layout: input! })
      return stretch(input!, multiplier)
    },
  }
  const convolve = ([x]: readonly tf.Tensor[], [filter]: readonly tf.Tensor[]) =>
    tf.depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, window.strides, window.pad)
  const back = taped(op, (inputs, weights) =>
    hasGradient()
      ? convolve(inputs, weights)
      : shiftedSum(inputs[0] as tf.Tensor4D, weights[0] as tf.Tensor4D, window),
  )
  return {
    ...op,
    forward: (inputs, weights, options) => ({
      y: convolve(inputs, weights),
      back: (dy, needs) => back.forward(inputs, weights, options).back(dy, needs),
    }),
  }
}

/** Wasm has no kernels for it. */
function hasGradient(): boolean {
  const names = ['DepthwiseConv2dNativeBackpropInput', 'DepthwiseConv2dNativeBackpropFilter']
  const kernels = tf.getKernelsForBackend(tf.getBackend()).map(({ kernelName }) => kernelName)
  return names.every((name) => kernels.includes(name))
}

/**
 * The same as a sum over the places of the filter, x shifted by each: slow, but made of ops that have
 * gradients on every engine.
 */
function shiftedSum(x: tf.Tensor4D, filter: tf.Tensor4D, window: ConvWindow): tf.Tensor {
  const [height, width, channels, multiplier] = filter.shape
  const windows = shiftedWindows(x, { size: [height, width], ...window })
  const terms = windows.flatMap((row, i) =>
    row.map((seen, j) => {
      const weights = tf.slice(filter, [i, j, 0, 0], [1, 1, channels, multiplier])
      const spread = tf.reshape(seen, [-1, channels, 1])
      return tf.mul(spread, tf.reshape(weights, [channels, multiplier])) // [place, in, multiplier]
    }),
  )
  return tf.reshape(tf.addN(terms), [...windows[0]![0]!.shape.slice(0, 3), channels * multiplier])
}

import * as tf from '@tensorflow/tfjs'
import { addBias } from './add-bias.ts'
import {
  assertChannelsLast,
  columnSums,
  type Op,
  type OpWeight,
  runKernel,
  unsupported,
  weightsOf,
} from './op.ts'
import { type ConvWindow, shiftedWindows } from './shifted-windows.ts'

/** y = x * W + b, [batch, height, width, in] -> [batch, height', width', out]. */
export function conv2d(layer: tf.layers.Layer): Op {
  const [kernel, bias] = weightsOf(layer)
  const filters = layer.getConfig()['filters'] as number
  return conv2dOp(layer.name, { kernel: kernel!, bias, filters, ...windowOf(layer) })
}

/**
 * Strides and padding of a convolutional layer.
 * @throws GraftError GRAFT_LAYER_UNSUPPORTED for channels first, and for dilation
 */
export function windowOf(layer: tf.layers.Layer): ConvWindow {
  assertChannelsLast(layer)
  const { strides, padding, dilationRate } = layer.getConfig()
  if ([dilationRate].flat().some((rate) => typeof rate === 'number' && rate !== 1)) {
    throw unsupported(layer, 'is dilated')
  }
  if (padding !== 'same' && padding !== 'valid') {
    throw unsupported(layer, 'pads neither "same" nor "valid"')
  }
  const [height = 1, width = height] = [strides as number | number[]].flat()
  return { strides: [height, width], pad: padding }
}

/** The same for a layer that has more than this one convolution in it. */
export function conv2dOp(
  layer: string,
  spec: ConvWindow & {
    kernel: OpWeight
    bias: OpWeight | undefined
    filters: number
  },
): Op {
  const { kernel, bias, filters } = spec
  const convolve = (weights: readonly OpWeight[]): Op => ({
    kind: 'kernel',
    layer,
    weights,
    unfold: (x, kernelShape) => patches(spec, x as tf.Tensor4D, kernelShape),
    forward: ([x], [filter, b]) =>
      convolveForward(spec, x as tf.Tensor4D, filter as tf.Tensor4D, b),
    trace([input], trace) {
      trace.addAxis({ weight: kernel.name, axis: 2, role: 'reader', layout: input! })
      const made = trace.addGroup(layer, filters)
      trace.addAxis({ weight: kernel.name, axis: 3, role: 'kernel', layout: made })
      if (weights.length > 1) {
        trace.addAxis({ weight: bias!.name, axis: 0, role: 'bias', layout: made })
      }
      return made
    },
  })
  if (bias === undefined) return convolve([kernel])
  return { ...convolve([kernel, bias]), apart: [convolve([kernel]), addBias(layer, bias)] }
}

function convolveForward(
  { strides, pad }: ConvWindow,
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  bias: tf.Tensor | undefined,
): ReturnType<Op['forward']> {
  const attributes = { strides, pad, dataFormat: 'NHWC' }
  return {
    y: tf.fused.conv2d({ x, filter, strides, pad, ...(bias !== undefined && { bias }) }),
    back: (dy, needs) => ({
      dInputs: needs.inputs
        ? [runKernel('Conv2DBackpropInput', { dy, filter }, { ...attributes, inputShape: x.shape })]
        : [],
      dWeights: needs.weights
        ? [
            filterGradient({ strides, pad }, x, dy as tf.Tensor4D, filter.shape),
            ...(bias === undefined ? [] : [columnSums(dy)]),
          ]
        : [],
    }),
  }
}

/**
 * A kernel of one pixel sees only the pixels that the strides stop at, so the others are left out first.
 * TensorFlow 2.21's own gradient with strides writes outside of its memory there, on some processors.
 */
function filterGradient(
  { strides, pad }: ConvWindow,
  x: tf.Tensor4D,
  dy: tf.Tensor4D,
  filterShape: readonly number[],
): tf.Tensor {
  const [height, width] = filterShape
  const isPoint = height === 1 && width === 1 && strides.some((stride) => stride > 1)
  const seen = isPoint ? tf.stridedSlice(x, [0, 0, 0, 0], x.shape, [1, ...strides, 1]) : x
  const attributes = { strides: isPoint ? [1, 1] : strides, pad, dataFormat: 'NHWC', filterShape }
  return runKernel('Conv2DBackpropFilter', { x: seen, dy }, attributes)
}

/** What the kernel sees at each place, [batch * height' * width', kernelHeight * kernelWidth * in]. */
function patches(
  { strides, pad }: ConvWindow,
  x: tf.Tensor4D,
  kernelShape: readonly number[],
): tf.Tensor2D {
  const [height = 1, width = 1] = kernelShape
  const seen = shiftedWindows(x, { size: [height, width], strides, pad }).flat()
  return tf.reshape(tf.concat(seen, 3), [-1, height * width * x.shape[3]])
}

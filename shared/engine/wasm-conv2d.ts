import * as tf from '@tensorflow/tfjs'
import type { Replacement, WasmWorkspace } from './wasm-backend.ts'

type Shape4D = [number, number, number, number]
type Padding = tf.backend_util.ExplicitPadding

interface ConvAttributes {
  strides: [number, number] | number
  pad: 'valid' | 'same' | number | Padding
  dataFormat: 'NHWC' | 'NCHW'
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

/**
 * Gradient of a convolution by its filter, which the wasm back end lacks. With examples in the place of
 * channels it is a convolution itself: dW[i,j,c,o] = sum_{n,h,w} x[n, s h + i - p, s w + j - q, c] dy[n,h,w,o]
 * slides dy over x, dilated by the stride s.
 *
 * Inputs `x` [example, height, width, inChannel] and `dy` [example, outHeight, outWidth, outChannel];
 * the result has `filterShape` [filterHeight, filterWidth, inChannel, outChannel].
 */
export const conv2DBackpropFilter: Replacement = (workspace, inputs, attributes) => {
  const { run } = workspace
  const x = inputs['x']!
  const { filterShape, ...conv } = attributes as unknown as ConvAttributes & {
    filterShape: Shape4D
  }
  const info = convInfo(x.shape as Shape4D, filterShape, conv)
  const [height, width] = [filterShape[0], filterShape[1]]
  const { top, left } = info.padInfo

  const xByChannel = run('Transpose', { x }, { perm: [3, 1, 2, 0] }) // [inChannel, height, width, example]
  const dy = run('Transpose', { x: inputs['dy']! }, { perm: [1, 2, 0, 3] }) // [outHeight, outWidth, example, outChannel]
  // As much padding as makes the result as high and wide as the filter. Rows and columns that the stride
  // left over make it larger; those are cut off below.
  const bottom = height + (info.outHeight - 1) * info.strideHeight - info.inHeight - top
  const right = width + (info.outWidth - 1) * info.strideWidth - info.inWidth - left
  const gradient = run(
    'Conv2D',
    { x: xByChannel, filter: dy },
    {
      strides: [1, 1],
      dilations: [info.strideHeight, info.strideWidth],
      pad: explicit(top, bottom, left, right),
      dataFormat: 'NHWC',
    },
  ) // [inChannel, >= filterHeight, >= filterWidth, outChannel]
  const cut = cutTo(workspace, gradient, height, width) // [inChannel, filterHeight, filterWidth, outChannel]
  return run('Transpose', { x: cut }, { perm: [1, 2, 0, 3] }) // [filterHeight, filterWidth, inChannel, outChannel]
}

/**
 * Gradient of a convolution by its input, as a convolution of dy with the flipped filter; dy is spread out
 * with zeros where the stride skipped positions. The stock kernel is a plain loop.
 *
 * Inputs `dy` [example, outHeight, outWidth, outChannel] and `filter` [filterHeight, filterWidth, inChannel,
 * outChannel]; the result has `inputShape` [example, height, width, inChannel].
 */
export const conv2DBackpropInput: Replacement = (workspace, inputs, attributes) => {
  const { run } = workspace
  const filter = inputs['filter']!
  const { inputShape, ...conv } = attributes as unknown as ConvAttributes & { inputShape: Shape4D }
  if (conv.dataFormat === 'NCHW') return run('Conv2DBackpropInput', inputs, attributes)
  const info = convInfo(inputShape, filter.shape as Shape4D, conv)
  const top = info.filterHeight - 1 - info.padInfo.top
  const left = info.filterWidth - 1 - info.padInfo.left
  // Padding wider than the filter would have to be cut from dy: too rare to be worth a branch.
  if (top < 0 || left < 0) return run('Conv2DBackpropInput', inputs, attributes)

  const spread = spreadOut(workspace, inputs['dy']!, info)
  const flipped = run('Reverse', { x: filter }, { dims: [0, 1] })
  const perOutput = run('Transpose', { x: flipped }, { perm: [0, 1, 3, 2] }) // [filterHeight, filterWidth, outChannel, inChannel]
  const bottom = info.inHeight + info.padInfo.top - spread.shape[1]!
  const right = info.inWidth + info.padInfo.left - spread.shape[2]!
  const gradient = run(
    'Conv2D',
    { x: spread, filter: perOutput },
    {
      strides: [1, 1],
      dilations: [1, 1],
      pad: explicit(top, bottom, left, right),
      dataFormat: 'NHWC',
    },
  ) // [example, >= height, >= width, inChannel]
  return cutTo(workspace, gradient, info.inHeight, info.inWidth)
}

/** dy with `stride - 1` zeros after each row and column: [example, outHeight s, outWidth s, outChannel]. */
function spreadOut(
  { run }: WasmWorkspace,
  dy: tf.TensorInfo,
  { strideHeight, strideWidth, outHeight, outWidth }: tf.backend_util.Conv2DInfo,
): tf.TensorInfo {
  if (strideHeight === 1 && strideWidth === 1) return dy
  const [examples, , , channels] = dy.shape as Shape4D
  // Zeros behind each pixel, then behind each row: both are paddings of a matrix.
  const pixels = run('Reshape', { x: dy }, { shape: [examples * outHeight * outWidth, channels] })
  const columns = padRight(pixels, channels * (strideWidth - 1))
  const rowSize = outWidth * strideWidth * channels
  const rows = run('Reshape', { x: columns }, { shape: [examples * outHeight, rowSize] })
  const padded = padRight(rows, rowSize * (strideHeight - 1))
  const shape = [examples, outHeight * strideHeight, outWidth * strideWidth, channels]
  return run('Reshape', { x: padded }, { shape })

  function padRight(x: tf.TensorInfo, zeros: number): tf.TensorInfo {
    const paddings = [
      [0, 0],
      [0, zeros],
    ]
    return run('PadV2', { x }, { paddings, constantValue: 0 })
  }
}

/** The first `height` rows and `width` columns of x [example, row, column, channel]. */
function cutTo({ run }: WasmWorkspace, x: tf.TensorInfo, height: number, width: number) {
  const [examples, rows, columns, channels] = x.shape as Shape4D
  if (rows === height && columns === width) return x
  return run('Slice', { x }, { begin: [0, 0, 0, 0], size: [examples, height, width, channels] })
}

function explicit(top: number, bottom: number, left: number, right: number): Padding {
  return [
    [0, 0],
    [top, Math.max(0, bottom)],
    [left, Math.max(0, right)],
    [0, 0],
  ]
}

function convInfo(inputShape: Shape4D, filterShape: Shape4D, conv: ConvAttributes) {
  const { strides, pad, dimRoundingMode, dataFormat } = conv
  return tf.backend_util.computeConv2DInfo(
    inputShape,
    filterShape,
    strides,
    1,
    pad,
    dimRoundingMode,
    false,
    tf.backend_util.convertConv2DDataFormat(dataFormat),
  )
}

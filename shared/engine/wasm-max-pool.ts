import * as tf from '@tensorflow/tfjs'
import type { Replacement } from './wasm-backend.ts'

interface PoolAttributes {
  filterSize: [number, number] | number
  strides: [number, number] | number
  pad: 'valid' | 'same' | number
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

/**
 * Gradient of max pooling: each dy goes to the first maximum of its window, in row-major order. One pass
 * over the windows, which ends at the value that the forward pass found; the stock kernel looks through
 * windows again for every input element.
 *
 * Inputs `dy` and `output` [example, outHeight, outWidth, channel] and `input` [example, height, width,
 * channel]; the result has the shape of `input`.
 */
export const maxPoolGrad: Replacement = ({ make, view }, inputs, attributes) => {
  const { filterSize, strides, pad, dimRoundingMode } = attributes as unknown as PoolAttributes
  const x = inputs['input']!
  const info = tf.backend_util.computePool2DInfo(
    x.shape as [number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  )
  const result = make(x.shape)
  const arrays = {
    x: view(x),
    maximum: view(inputs['output']!),
    dy: view(inputs['dy']!),
    dx: view(result),
  }
  arrays.dx.fill(0)
  for (let example = 0; example < info.batchSize; example++) scatter(arrays, info, example)
  return result
}

type Arrays = Record<'x' | 'maximum' | 'dy' | 'dx', Float32Array>

/** Adds each dy of one example to the place its maximum came from. */
function scatter(
  { x, maximum, dy, dx }: Arrays,
  info: tf.backend_util.Conv2DInfo,
  example: number,
): void {
  const { inHeight, inWidth, inChannels: channels, outHeight, outWidth } = info
  for (let outRow = 0; outRow < outHeight; outRow++) {
    const firstRow = outRow * info.strideHeight - info.padInfo.top
    const rowBegin = Math.max(0, firstRow)
    const rowEnd = Math.min(inHeight, firstRow + info.filterHeight)
    for (let outColumn = 0; outColumn < outWidth; outColumn++) {
      const firstColumn = outColumn * info.strideWidth - info.padInfo.left
      const columnBegin = Math.max(0, firstColumn)
      const columnEnd = Math.min(inWidth, firstColumn + info.filterWidth)
      const out = ((example * outHeight + outRow) * outWidth + outColumn) * channels
      for (let channel = 0; channel < channels; channel++) {
        const sought = maximum[out + channel]!
        window: for (let row = rowBegin; row < rowEnd; row++) {
          let at = ((example * inHeight + row) * inWidth + columnBegin) * channels + channel
          for (let column = columnBegin; column < columnEnd; column++, at += channels) {
            if (x[at] !== sought) continue
            dx[at]! += dy[out + channel]!
            break window
          }
        }
      }
    }
  }
}

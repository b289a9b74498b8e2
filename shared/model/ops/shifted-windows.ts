import * as tf from '@tensorflow/tfjs'

/** How a window slides over a map. */
export interface ConvWindow {
  readonly strides: [number, number]
  readonly pad: 'same' | 'valid'
}

/**
 * What each place of a sliding window sees: x shifted, padded with zeros and thinned out by the strides.
 * Made of pad, slice and reshape, which have gradients on every engine. Call it in `tf.tidy`.
 *
 * @param x [batch, height, width, channel]
 * @returns [row of the window][column of the window], each [batch, height', width', channel]
 */
export function shiftedWindows(
  x: tf.Tensor4D,
  { size, strides, pad }: ConvWindow & { readonly size: readonly [number, number] },
): tf.Tensor4D[][] {
  const [batch, , , channels] = x.shape
  const filterShape: [number, number, number, number] = [...size, channels, 1]
  const info = tf.backend_util.computeConv2DInfo(
    x.shape,
    filterShape,
    strides,
    1,
    pad,
    undefined,
    true,
  )
  const { outHeight, outWidth, padInfo } = info
  const [down, across] = strides
  // Wide enough that every shifted window is whole.
  const rows = outHeight * down + size[0]
  const columns = outWidth * across + size[1]
  const padded = tf.pad(x, [
    [0, 0],
    [padInfo.top, Math.max(0, rows - info.inHeight - padInfo.top)],
    [padInfo.left, Math.max(0, columns - info.inWidth - padInfo.left)],
    [0, 0],
  ])
  return Array.from({ length: size[0] }, (_, i) =>
    Array.from({ length: size[1] }, (_, j) => {
      const seen = tf.slice(
        padded,
        [0, i, j, 0],
        [batch, outHeight * down, outWidth * across, channels],
      )
      if (down === 1 && across === 1) return seen
      const everyRow = tf.slice(
        tf.reshape(seen, [batch * outHeight, down, outWidth * across * channels]),
        [0, 0, 0],
        [batch * outHeight, 1, outWidth * across * channels],
      )
      const everyColumn = tf.slice(
        tf.reshape(everyRow, [batch * outHeight * outWidth, across, channels]),
        [0, 0, 0],
        [batch * outHeight * outWidth, 1, channels],
      )
      return tf.reshape(everyColumn, [batch, outHeight, outWidth, channels])
    }),
  )
}

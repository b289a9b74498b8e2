import * as tf from '@tensorflow/tfjs'
import type { Replacement } from './wasm-backend.ts'

/**
 * Sum over all axes but the last, as in the gradient of a bias. The stock kernel transposes its input
 * first, so that what it sums lies side by side; this adds up rows as they lie. Other sums go to it.
 *
 * Input `x` [..., channel]; the result is [channel], or [1, ..., channel] with `keepDims`.
 */
export const sum: Replacement = ({ run, make, view }, inputs, attributes) => {
  const x = inputs['x']!
  const { axis, keepDims } = attributes as unknown as { axis: number | number[]; keepDims: boolean }
  const axes = tf.util.parseAxisParam(axis, x.shape)
  const channels = x.shape.at(-1) ?? 1
  const isAllButLast = axes.length === x.shape.length - 1 && !axes.includes(x.shape.length - 1)
  if (x.dtype !== 'float32' || !isAllButLast || channels === 1)
    return run('Sum', inputs, attributes)

  const shape = keepDims ? x.shape.map((size, i) => (axes.includes(i) ? 1 : size)) : [channels]
  const result = make(shape)
  view(result).set(columnSums(view(x), channels))
  return result
}

/** Sums of the columns of a matrix [row, column], in double precision. */
function columnSums(values: Float32Array, columns: number): Float64Array {
  const sums = new Float64Array(columns)
  const fourRows = 4 * columns
  let row = 0
  // Four rows at a time, as loading and storing the sums costs more than adding.
  for (; row + fourRows <= values.length; row += fourRows) {
    for (let i = row; i < row + columns; i++) {
      sums[i - row]! +=
        values[i]! + values[i + columns]! + values[i + 2 * columns]! + values[i + 3 * columns]!
    }
  }
  for (; row < values.length; row += columns) {
    for (let i = 0; i < columns; i++) sums[i]! += values[row + i]!
  }
  return sums
}

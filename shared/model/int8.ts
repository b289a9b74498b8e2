const LARGEST = 127

/**
 * Largest scale that is written and taken: with it no value is above 2^102, so that a value added to any float32 is finite.
 */
export const MOST_SCALE = 2 ** 95

export interface Quantised {
  readonly values: Int8Array<ArrayBuffer>
  /** Of each channel: a weight is its value times its channel's scale. */
  readonly scales: Float32Array<ArrayBuffer>
}

/**
 * Symmetric quantisation: `s_c = max |w| / 127` over the weights of channel c, `q = round(w / s_c)`. 0 stays 0.
 *
 * @param weights row-major, channels last; finite
 * @param channels the size of the last axis, or 1 for one scale for all
 */
export function quantise(weights: Float32Array, channels: number): Quantised {
  const largest = new Float32Array(channels)
  for (let i = 0, channel = 0; i < weights.length; i++) {
    const size = Math.abs(weights[i]!)
    if (size > largest[channel]!) largest[channel] = size
    if (++channel === channels) channel = 0
  }
  const scales = largest.map((size) => Math.min(size / LARGEST, MOST_SCALE))
  const values = new Int8Array(weights.length)
  for (let i = 0, channel = 0; i < weights.length; i++) {
    const scale = scales[channel]!
    // 0 of a channel of nothing, or of next to nothing.
    if (scale > 0) {
      const steps = Math.round(weights[i]! / scale)
      values[i] = Math.max(-LARGEST, Math.min(LARGEST, steps))
    }
    if (++channel === channels) channel = 0
  }
  return { values, scales }
}

/** @returns fresh weights, `q s_c` */
export function dequantise(values: Int8Array, scales: Float32Array): Float32Array<ArrayBuffer> {
  const weights = new Float32Array(values.length)
  const channels = scales.length
  for (let i = 0, channel = 0; i < values.length; i++) {
    weights[i] = values[i]! * scales[channel]!
    if (++channel === channels) channel = 0
  }
  return weights
}

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
  const measure = createScaleMeasure(channels)
  measure.add(weights)
  const scales = measure.scales()
  return { values: quantiseBy(scales, weights, 0), scales }
}

/** Finds the scales of a weight that is looked at in parts, from its first number on. */
export interface ScaleMeasure {
  readonly add: (weights: Float32Array) => void
  /** Of what was added. */
  readonly scales: () => Float32Array<ArrayBuffer>
}

/** @param channels as for {@link quantise} */
export function createScaleMeasure(channels: number): ScaleMeasure {
  const largest = new Float32Array(channels)
  let channel = 0
  return {
    add(weights) {
      for (let i = 0; i < weights.length; i++) {
        const size = Math.abs(weights[i]!)
        if (size > largest[channel]!) largest[channel] = size
        if (++channel === channels) channel = 0
      }
    },
    scales: () => largest.map((size) => Math.min(size / LARGEST, MOST_SCALE)),
  }
}

/** @param first index in the weight of the first of these numbers */
export function quantiseBy(
  scales: Float32Array,
  weights: Float32Array,
  first: number,
): Int8Array<ArrayBuffer> {
  const channels = scales.length
  const values = new Int8Array(weights.length)
  for (let i = 0, channel = first % channels; i < weights.length; i++) {
    const scale = scales[channel]!
    // 0 of a channel of nothing, or of next to nothing.
    if (scale > 0) {
      const steps = Math.round(weights[i]! / scale)
      values[i] = Math.max(-LARGEST, Math.min(LARGEST, steps))
    }
    if (++channel === channels) channel = 0
  }
  return values
}

/** @returns fresh weights, `q s_c` */
export function dequantise(values: Int8Array, scales: Float32Array): Float32Array<ArrayBuffer> {
  const weights = new Float32Array(values.length)
  dequantiseInto(weights, values, { scales, first: 0 })
  return weights
}

/**
 * The same into an array of as many, whose last quarter the values may be: each is read before it is written over.
 * @param of.first index in the weight of the first of these values
 */
export function dequantiseInto(
  weights: Float32Array,
  values: Int8Array,
  { scales, first }: { readonly scales: Float32Array; readonly first: number },
): void {
  const channels = scales.length
  for (let i = 0, channel = first % channels; i < values.length; i++) {
    weights[i] = values[i]! * scales[channel]!
    if (++channel === channels) channel = 0
  }
}

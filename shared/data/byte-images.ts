import type { ExampleSet } from './example-set.ts'

export interface ByteImages {
  /** [height, width, channels]. */
  readonly inputShape: readonly [number, number, number]
  readonly numClasses: number
  /** 0 to 255, [size, height, width, channels], row-major; borrowed, and never changed. */
  readonly pixels: Uint8Array
  /** [size]; borrowed. */
  readonly labels: Int32Array
  /** Mean of each channel of value / 255, over the training split. */
  readonly mean: readonly number[]
  /** Standard deviation of each channel of value / 255, over the training split. */
  readonly std: readonly number[]
}

/**
 * Images kept as bytes, a quarter of their size as floats; an input is (value / 255 - mean) / std of its
 * channel, looked up in a table of 256 values.
 *
 * @throws RangeError when pixels and labels are of different numbers of images
 */
export function byteImages(images: ByteImages): ExampleSet {
  const { inputShape, numClasses, pixels, labels } = images
  const [height, width, channels] = inputShape
  const inputSize = height * width * channels
  if (pixels.length !== labels.length * inputSize)
    throw new RangeError(`${pixels.length} pixels are not ${labels.length} images of ${inputSize}`)
  const tables = Array.from({ length: channels }, (_, channel) => normalised(images, channel))

  return {
    inputShape,
    numClasses,
    labels,
    inputs(indices) {
      const out = new Float32Array(indices.length * inputSize)
      for (let i = 0; i < indices.length; i++) {
        const index = indices[i]!
        if (!(Number.isInteger(index) && index >= 0 && index < labels.length))
          throw new RangeError(`example ${index} is not one of the ${labels.length} of this set`)
        const from = index * inputSize
        const to = i * inputSize
        for (let channel = 0; channel < channels; channel++) {
          const table = tables[channel]!
          for (let p = channel; p < inputSize; p += channels)
            out[to + p] = table[pixels[from + p]!]!
        }
      }
      return out
    },
  }
}

/** The input that each byte value becomes, [256]. */
function normalised({ mean, std }: ByteImages, channel: number): Float32Array {
  return Float32Array.from(
    { length: 256 },
    (_, value) => (value / 255 - mean[channel]!) / std[channel]!,
  )
}

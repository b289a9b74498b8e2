import type { ImageFilter, ImageShape } from './image-filter.ts'

/**
 * Gaussian blur: rows, then columns, with weights exp(-d^2 / (2 sigma^2)) up to 3 sigma away that sum to 1;
 * the edge is repeated outside of the image.
 *
 * @param sigma standard deviation in pixels
 */
export function blur([height, width, channels]: ImageShape, sigma: number): ImageFilter {
  const kernel = gaussian(sigma)
  const between = new Float32Array(height * width * channels)
  const along = { count: width, step: channels }
  const down = { count: height, step: width * channels }
  return (source, target) => {
    for (let y = 0; y < height; y++) {
      for (let channel = 0; channel < channels; channel++) {
        blurLine(source, between, { ...along, from: y * width * channels + channel }, kernel)
      }
    }
    for (let x = 0; x < width * channels; x++) {
      blurLine(between, target, { ...down, from: x }, kernel)
    }
  }
}

/** `count` numbers, the first at `from` and each `step` behind the one before. */
interface Line {
  readonly from: number
  readonly count: number
  readonly step: number
}

function blurLine(
  source: Float32Array,
  target: Float32Array,
  { from, count, step }: Line,
  kernel: Float64Array,
): void {
  const radius = (kernel.length - 1) / 2
  for (let i = 0; i < count; i++) {
    let sum = 0
    for (let k = 0; k < kernel.length; k++) {
      const place = Math.min(Math.max(i + k - radius, 0), count - 1)
      sum += kernel[k]! * source[from + place * step]!
    }
    target[from + i * step] = sum
  }
}

/** [2 radius + 1] */
function gaussian(sigma: number): Float64Array {
  const radius = Math.ceil(3 * sigma)
  const weights = new Float64Array(2 * radius + 1).map((_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2)),
  )
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight) => weight / sum)
}

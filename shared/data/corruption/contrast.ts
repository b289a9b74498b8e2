import type { ImageFilter, ImageShape } from './image-filter.ts'

/**
 * Lower contrast: factor * (x - mean) + mean, the mean being that of the image's channel (Hendrycks and
 * Dietterich 2019, arXiv:1903.12261, as their code has it). No value leaves the range of the image.
 *
 * @param factor from 0, one grey, to 1, the image as it is
 */
export function lowerContrast([height, width, channels]: ImageShape, factor: number): ImageFilter {
  const size = height * width
  return (source, target) => {
    for (let channel = 0; channel < channels; channel++) {
      let sum = 0
      for (let i = channel; i < source.length; i += channels) sum += source[i]!
      const mean = sum / size
      for (let i = channel; i < source.length; i += channels)
        target[i] = factor * (source[i]! - mean) + mean
    }
  }
}

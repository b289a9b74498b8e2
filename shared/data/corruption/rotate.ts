import type { ImageFilter, ImageShape } from './image-filter.ts'

/**
 * Turns images about their centre, with bilinear interpolation; what would come from outside repeats the
 * nearest pixel of the edge. Where each pixel comes from is worked out once.
 *
 * @param degrees counter-clockwise
 */
export function rotate([height, width, channels]: ImageShape, degrees: number): ImageFilter {
  const [middleY, middleX] = [(height - 1) / 2, (width - 1) / 2]
  const angle = (degrees * Math.PI) / 180
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)]
  const size = height * width
  /** For each pixel the four that it is mixed from, [pixel, 4]: places and shares. */
  const places = new Int32Array(4 * size)
  const shares = new Float64Array(4 * size)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [down, right] = [y - middleY, x - middleX]
      // Back along the rotation; rows count downwards.
      const fromX = clamp(middleX + cos * right - sin * down, width - 1)
      const fromY = clamp(middleY + sin * right + cos * down, height - 1)
      const [left, top] = [Math.floor(fromX), Math.floor(fromY)]
      const [shareX, shareY] = [fromX - left, fromY - top]
      const [nextX, nextY] = [Math.min(left + 1, width - 1), Math.min(top + 1, height - 1)]
      const at = 4 * (y * width + x)
      places.set([top * width + left, top * width + nextX], at)
      places.set([nextY * width + left, nextY * width + nextX], at + 2)
      shares.set([(1 - shareY) * (1 - shareX), (1 - shareY) * shareX], at)
      shares.set([shareY * (1 - shareX), shareY * shareX], at + 2)
    }
  }
  return (source, target) => {
    for (let pixel = 0; pixel < size; pixel++) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0
        for (let i = 4 * pixel; i < 4 * pixel + 4; i++)
          sum += shares[i]! * source[places[i]! * channels + channel]!
        target[pixel * channels + channel] = sum
      }
    }
  }
}

/** From 0 to `most`; a rounding error beside a whole number is taken away, so that quarter turns are exact. */
function clamp(value: number, most: number): number {
  const whole = Math.round(value)
  const exact = Math.abs(value - whole) < 1e-9 ? whole : value
  return Math.min(Math.max(exact, 0), most)
}

/** [height, width, channels]. */
export type ImageShape = readonly [number, number, number]

/**
 * Makes one image from another of its shape, row-major, channels last. Numbers may be of any scale: a filter
 * gives the same image whether it comes before or after normalisation.
 *
 * @param source borrowed
 * @param target overwritten; another array than `source`
 */
export type ImageFilter = (source: Float32Array, target: Float32Array) => void

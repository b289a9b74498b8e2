import sharp from 'sharp'

export interface Raster {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 2 | 3 | 4
  /** [height, width, channels]; all black when not given. */
  readonly pixels?: Uint8Array
}

/** The bytes of an image file. */
export async function encodeImage(
  format: 'png' | 'jpeg',
  { width, height, channels, pixels }: Raster,
): Promise<Buffer> {
  const raster = pixels ?? new Uint8Array(width * height * channels)
  const image = sharp(raster, { raw: { width, height, channels } })
  const isGrey = channels < 3
  return (isGrey ? image.toColourspace('b-w') : image).toFormat(format).toBuffer()
}

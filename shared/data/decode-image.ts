/** An image out of its file. */
export interface DecodedImage {
  readonly height: number
  readonly width: number
  /** 0 to 255, [height, width, channels], row-major; the caller's. */
  readonly pixels: Uint8Array
}

export interface DecodeOptions {
  /** 1: grey; 3: RGB. Alpha is dropped. */
  readonly channels: 1 | 3
  /** Stretched or shrunk to it when given (Lanczos). */
  readonly size?: { readonly height: number; readonly width: number }
}

/**
 * Decodes a PNG or JPEG.
 * @throws Error when the bytes are no whole image
 */
export async function decodeImage(
  bytes: Uint8Array,
  { channels, size }: DecodeOptions,
): Promise<DecodedImage> {
  const image = (await open(bytes)).autoOrient().removeAlpha()
  if (size !== undefined) image.resize(size.width, size.height, { fit: 'fill' })
  const { data, info } = await image
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  if (info.channels !== channels) throw new Error(`it has ${info.channels} channels`)
  return { height: info.height, width: info.width, pixels: data }
}

/** What a file says of its image, before anything is decoded. */
export interface ImageFacts {
  readonly height: number
  readonly width: number
  readonly isGrey: boolean
}

/**
 * Reads the header of a PNG or JPEG.
 * @throws Error when the bytes are no image of these kinds
 */
export async function readImageFacts(bytes: Uint8Array): Promise<ImageFacts> {
  const { format, space, autoOrient } = await (await open(bytes)).metadata()
  if (format !== 'png' && format !== 'jpeg') throw new Error(`it is ${format}, not PNG or JPEG`)
  return { ...autoOrient, isGrey: space === 'b-w' || space === 'grey16' }
}

async function open(bytes: Uint8Array) {
  // Loaded when needed: it is large, and most commands decode nothing.
  const { default: sharp } = await import('sharp')
  return sharp(bytes, { failOn: 'error' })
}

import { GraftError } from '../errors.ts'

/** Images of one split, as bytes. */
export interface ImageSplit {
  /** 0 to 255, [size, ...shape of an image], row-major. */
  readonly pixels: Uint8Array
  /** Class of each image, [size]. */
  readonly labels: Uint8Array
}

/** Both splits of a data set as views of one array, which is also how they lie on disk. */
export interface PackedImages {
  readonly bytes: Uint8Array
  readonly train: ImageSplit
  readonly test: ImageSplit
}

/** How many images there are, and how many bytes each of them has. */
export interface PackedSizes {
  readonly train: number
  readonly test: number
  readonly imageBytes: number
}

// "GIMG", then the format's version; three sizes follow.
const MAGIC = 0x47494d47
const VERSION = 1
const HEADER_BYTES = 20

/** Room for a data set, to be filled through its views. The caller owns it. */
export function allocateImages(sizes: PackedSizes): PackedImages {
  const bytes = new Uint8Array(bytesOf(sizes))
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES)
  const fields = [MAGIC, VERSION, sizes.train, sizes.test, sizes.imageBytes]
  fields.forEach((field, i) => {
    header.setUint32(4 * i, field)
  })
  return viewsOf(bytes, sizes)
}

/**
 * The data set that `bytes` hold, without a copy of them.
 *
 * @param file where they come from, for the error message
 * @throws GraftError GRAFT_DATASET_INVALID when they are of another format or length
 */
export function viewImages(bytes: Uint8Array, file: string): PackedImages {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const isOurs =
    bytes.byteLength >= HEADER_BYTES &&
    header.getUint32(0) === MAGIC &&
    header.getUint32(4) === VERSION
  if (!isOurs) throw invalid(`${file} is not a file of packed images.`)
  const sizes = {
    train: header.getUint32(8),
    test: header.getUint32(12),
    imageBytes: header.getUint32(16),
  }
  const wanted = bytesOf(sizes)
  if (bytes.byteLength !== wanted)
    throw invalid(`${file} has ${bytes.byteLength} bytes, its header says ${wanted}.`)
  return viewsOf(bytes, sizes)
}

function bytesOf({ train, test, imageBytes }: PackedSizes): number {
  return HEADER_BYTES + (train + test) * (imageBytes + 1)
}

function viewsOf(bytes: Uint8Array, { train, test, imageBytes }: PackedSizes): PackedImages {
  let at = HEADER_BYTES
  const take = (length: number): Uint8Array => bytes.subarray(at, (at += length))
  const split = (size: number): ImageSplit => ({
    pixels: take(size * imageBytes),
    labels: take(size),
  })
  return { bytes, train: split(train), test: split(test) }
}

function invalid(problem: string): GraftError {
  return new GraftError('GRAFT_DATASET_INVALID', problem)
}

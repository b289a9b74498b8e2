import { GraftError } from '../errors.ts'

/** A file of unsigned bytes in the IDX format (MNIST's own). */
export interface Idx {
  /** Sizes of the dimensions, e.g. [60000, 28, 28]. */
  readonly shape: readonly number[]
  /** Row-major; a view into the bytes parsed. */
  readonly data: Uint8Array
}

const UNSIGNED_BYTE = 0x08

/**
 * Parses an IDX file: two zero bytes, element type, number of dimensions, each dimension as a big-endian
 * 32-bit integer, then the elements. Source: LeCun, Cortes, Burges, "The MNIST database", file formats.
 *
 * @param file its name, for the error message
 * @throws GraftError GRAFT_DATASET_INVALID when the magic number or the length is wrong
 */
export function parseIdx(bytes: Uint8Array, file: string, dimensions: number): Idx {
  const headerBytes = 4 + 4 * dimensions
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const wanted = (UNSIGNED_BYTE << 8) | dimensions
  const magic = bytes.byteLength >= 4 ? header.getUint32(0) : undefined
  if (magic !== wanted) {
    const found = magic === undefined ? `only ${bytes.byteLength} bytes` : hex(magic)
    throw new GraftError(
      'GRAFT_DATASET_INVALID',
      `${file} begins with ${found}, not ${hex(wanted)}.`,
    )
  }
  if (bytes.byteLength < headerBytes) throw wrongLength(file, bytes.byteLength, headerBytes)

  const shape = Array.from({ length: dimensions }, (_, i) => header.getUint32(4 + 4 * i))
  const fileBytes = headerBytes + shape.reduce((product, dim) => product * dim, 1)
  if (bytes.byteLength !== fileBytes) throw wrongLength(file, bytes.byteLength, fileBytes)
  return { shape, data: bytes.subarray(headerBytes) }
}

function wrongLength(file: string, found: number, wanted: number): GraftError {
  const problem = `${file} has ${found} bytes, its header says ${wanted}.`
  return new GraftError('GRAFT_DATASET_INVALID', problem)
}

const hex = (magic: number): string => `0x${magic.toString(16).padStart(8, '0')}`

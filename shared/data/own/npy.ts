import { NUMBER_READERS } from './number-readers.ts'
import { invalidData } from './raw-data.ts'

/** An array of numbers out of a file of NumPy's. */
export interface NumberArray {
  /** As in `x_train` or `x_train.npy`, for messages. */
  readonly name: string
  readonly shape: readonly number[]
  /** Row-major. Bytes stay bytes, everything else is made float, which is exact to 2^24. */
  readonly data: Uint8Array | Float32Array
}

/**
 * Parses a `.npy` file: "\x93NUMPY", version, length of the header, a header that is a Python dictionary,
 * then the elements. Source: NumPy, `numpy.lib.format`, versions 1.0 to 3.0.
 *
 * @param name of the array, for messages
 * @throws GraftError GRAFT_DATA_INVALID for another format, type or order, or another length
 */
export function parseNpy(bytes: Uint8Array, name: string): NumberArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const isNpy = bytes.length >= 12 && view.getUint8(0) === 0x93 && ascii(bytes, 1, 6) === 'NUMPY'
  if (!isNpy)
    throw invalidData(`${name} is no .npy array: write it with numpy.save or numpy.savez.`)
  const isFirst = view.getUint8(6) === 1
  const start = isFirst ? 10 : 12
  const end = start + (isFirst ? view.getUint16(8, true) : view.getUint32(8, true))
  const header = ascii(bytes, start, end)
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1]
  const shapeText = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1]
  if (descr === undefined || shapeText === undefined || end > bytes.length) {
    throw invalidData(
      `${name} has a header that is not one of numbers: save arrays of numbers, without fields or objects.`,
    )
  }
  const kind = descr.slice(1)
  const reader = NUMBER_READERS.get(kind === 'b1' ? 'u1' : kind)
  if (reader === undefined) {
    throw invalidData(
      `${name} holds numbers of type ${descr}; bool, whole numbers and float32 or float64 are read. Convert it with .astype('float32').`,
    )
  }
  const shape = shapeText.split(',').flatMap((text) => (text.trim() === '' ? [] : [Number(text)]))
  if (/'fortran_order':\s*True/.test(header) && shape.length > 1) {
    throw invalidData(
      `${name} lies column by column: save numpy.ascontiguousarray of it, row by row.`,
    )
  }
  const [width, read] = reader
  const size = shape.reduce((product, dim) => product * dim, 1)
  if (bytes.length - end !== size * width) {
    throw invalidData(
      `${name} has ${bytes.length - end} bytes of numbers, its header says ${size * width}: the file is cut or broken.`,
    )
  }
  if (kind === 'u1') return { name, shape, data: bytes.subarray(end) }
  const data = new Float32Array(size)
  const isLittle = descr[0] !== '>'
  for (let i = 0; i < size; i++) data[i] = read(view, end + i * width, isLittle)
  return { name, shape, data }
}

function ascii(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.subarray(from, to)).toString('latin1')
}

import { inflateSync } from 'node:zlib'
import { NUMBER_READERS } from './number-readers.ts'
import { invalidData } from './raw-data.ts'

/** A numeric array of a MATLAB file. */
export interface MatArray {
  readonly name: string
  readonly shape: readonly number[]
  /** As MATLAB has it: the first axis varies fastest. */
  readonly data: Uint8Array | Float64Array
}

const HEADER_BYTES = 128
const COMPRESSED = 15
const MATRIX = 14
/** mxDOUBLE_CLASS to mxUINT64_CLASS; smaller ones are cells, structures, objects, texts and sparse arrays. */
const NUMERIC_CLASSES = { from: 6, to: 15 }

/** miINT8 to miUINT64; 8, 10 and 11 are reserved. */
const KINDS: Readonly<Record<number, string>> = {
  ...{ 1: 'i1', 2: 'u1', 3: 'i2', 4: 'u2', 5: 'i4', 6: 'u4' },
  ...{ 7: 'f4', 9: 'f8', 12: 'i8', 13: 'u8' },
}

interface Element {
  readonly type: number
  readonly bytes: Uint8Array
  /** Where the next one begins. */
  readonly next: number
}

/**
 * Parses the numeric arrays of a MATLAB 5.0 MAT-file, zlib-compressed or not; other variables are left out.
 * Source: MathWorks, "MAT-File Format", level 5.
 *
 * @param file its name, for messages
 * @throws GraftError GRAFT_DATA_INVALID when it is no such file, or cut
 */
export function parseMat5(bytes: Uint8Array, file: string): MatArray[] {
  const endian = Buffer.from(bytes.subarray(126, 128)).toString('latin1')
  const isLittle = endian === 'IM'
  if (bytes.length < HEADER_BYTES || !(isLittle || endian === 'MI')) {
    throw invalidData(`${file} is no MATLAB 5.0 file; save it with \`save -v7\`, not \`-v7.3\`.`)
  }
  const arrays: MatArray[] = []
  try {
    for (let at = HEADER_BYTES; at < bytes.length;) {
      const { type, bytes: content, next } = readElement(bytes, at, isLittle)
      at = next
      // Compressed elements are not padded: the next one begins where they end.
      const element =
        type === COMPRESSED
          ? readElement(inflateSync(content), 0, isLittle)
          : { type, bytes: content }
      const array = element.type === MATRIX ? parseMatrix(element.bytes, isLittle) : null
      if (array !== null) arrays.push(array)
    }
  } catch (cause) {
    throw invalidData(`${file} is cut or broken: fetch it again.`, cause)
  }
  return arrays
}

function readElement(bytes: Uint8Array, at: number, isLittle: boolean): Element {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const tag = view.getUint32(at, isLittle)
  // The small format has length and type in one word, and up to four bytes behind it.
  const isSmall = tag >>> 16 !== 0
  const type = isSmall ? tag & 0xffff : tag
  const length = isSmall ? tag >>> 16 : view.getUint32(at + 4, isLittle)
  const from = at + (isSmall ? 4 : 8)
  if (from + length > bytes.length) throw new RangeError(`${length} bytes at ${from} are not there`)
  const padded = isSmall ? 4 : type === COMPRESSED ? length : 8 * Math.ceil(length / 8)
  return { type, bytes: bytes.subarray(from, from + length), next: from + padded }
}

/** @returns null for what is no array of real numbers */
function parseMatrix(bytes: Uint8Array, isLittle: boolean): MatArray | null {
  const flags = readElement(bytes, 0, isLittle)
  const word = numbersOf(flags, isLittle)[0] ?? 0
  const kind = word & 0xff
  const isComplex = (word & 0x0800) !== 0
  if (kind < NUMERIC_CLASSES.from || kind > NUMERIC_CLASSES.to || isComplex) return null
  const dimensions = readElement(bytes, flags.next, isLittle)
  const name = readElement(bytes, dimensions.next, isLittle)
  const real = readElement(bytes, name.next, isLittle)
  const shape = [...numbersOf(dimensions, isLittle)]
  const data = numbersOf(real, isLittle)
  if (data.length !== shape.reduce((product, dim) => product * dim, 1)) {
    throw new RangeError(`${data.length} numbers are not [${shape}]`)
  }
  return { name: Buffer.from(name.bytes).toString('latin1'), shape, data }
}

function numbersOf({ type, bytes }: Element, isLittle: boolean): Uint8Array | Float64Array {
  if (type === 2) return bytes
  const reader = NUMBER_READERS.get(KINDS[type] ?? '')
  if (reader === undefined) throw new RangeError(`there is no type ${type}`)
  const [width, read] = reader
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Float64Array.from({ length: bytes.length / width }, (_, i) =>
    read(view, i * width, isLittle),
  )
}

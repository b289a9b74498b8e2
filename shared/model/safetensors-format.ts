import { GraftError } from '../errors.ts'
import { sizeOf } from './weights.ts'

/** Bytes of one element; what the format defines, of which Graft's models use F32. */
export const DTYPE_BYTES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const satisfies Record<string, number>
export type Dtype = keyof typeof DTYPE_BYTES

/** The format's own bound on the header. */
const MAX_HEADER_BYTES = 100_000_000

export interface SafetensorsEntry {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
  /** A view into the file, little-endian and not aligned to anything. */
  readonly bytes: Uint8Array
}

/** A safetensors file taken apart, its tensors in the order of their bytes. */
export interface Safetensors {
  readonly entries: readonly SafetensorsEntry[]
  readonly metadata: Readonly<Record<string, string>>
}

/** A tensor as the header has it, and where its bytes are, counted from the end of the header. */
export interface LocatedTensor {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

/** What a header says: its tensors in the order of their bytes, without gaps. */
export interface SafetensorsHeader {
  readonly tensors: readonly LocatedTensor[]
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * Reads a safetensors file (github.com/huggingface/safetensors, "Format") and finds its tensors. Nothing is copied and
 * nothing is allocated by a size that the file only claims, so files from strangers are safe to parse.
 *
 * @throws GraftError GRAFT_MODEL_FILE_INVALID for a file that is cut short or says what cannot be
 */
export function parseSafetensors(bytes: Uint8Array): Safetensors {
  const end = LENGTH_BYTES + headerLength(bytes, bytes.length)
  const data = bytes.subarray(end)
  const header = bytes.subarray(LENGTH_BYTES, end)
  const { tensors, metadata } = parseSafetensorsHeader(header, data.length)
  return {
    entries: tensors.map(({ name, dtype, shape, begin, end }) => ({
      name,
      dtype,
      shape,
      bytes: data.subarray(begin, end),
    })),
    metadata,
  }
}

/** Bytes before the header: they hold its length. */
export const LENGTH_BYTES = 8

/**
 * Bytes of the header that follows the first {@link LENGTH_BYTES}.
 *
 * @param start of a file of `sizeBytes`
 * @throws GraftError GRAFT_MODEL_FILE_INVALID for a file that is too short
 */
export function headerLength(start: Uint8Array, sizeBytes: number): number {
  if (sizeBytes < LENGTH_BYTES) throw invalid(`The file has only ${sizeBytes} bytes.`)
  const claimed = new DataView(start.buffer, start.byteOffset, LENGTH_BYTES).getBigUint64(0, true)
  const most = Math.min(MAX_HEADER_BYTES, sizeBytes - LENGTH_BYTES)
  if (claimed > BigInt(most)) {
    throw invalid(`The header claims ${claimed.toString()} bytes of a file of ${sizeBytes}.`)
  }
  return Number(claimed)
}

/**
 * Reads the header alone, as of a file that is too large to be in memory.
 *
 * @param header without its length
 * @param dataBytes behind the header
 * @throws GraftError GRAFT_MODEL_FILE_INVALID for a header that says what cannot be
 */
export function parseSafetensorsHeader(header: Uint8Array, dataBytes: number): SafetensorsHeader {
  const { __metadata__: metadata = {}, ...tensors } = parseHeader(header)
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    throw invalid('__metadata__ is not a map of strings.')
  }
  const located = Object.entries(tensors)
    .map(([name, tensor]) => locate(name, tensor))
    .sort((a, b) => a.begin - b.begin || a.end - b.end)
  let position = 0
  for (const { name, begin, end } of located) {
    if (begin !== position) throw invalid(`${name} begins at byte ${begin}, not ${position}.`)
    position = end
  }
  if (position !== dataBytes) {
    throw invalid(`The tensors take ${position} bytes, the file has ${dataBytes} for them.`)
  }
  return { tensors: located, metadata: metadata as Record<string, string> }
}

/** Bytes that a header of this text takes in a file, without its length. */
export const headerBytesOf = (header: string): number =>
  paddedLength(new TextEncoder().encode(header))

const paddedLength = (text: Uint8Array): number => Math.ceil(text.length / 8) * 8

/** The first bytes of a file, up to its tensors; `header` is JSON and is padded with spaces to a multiple of 8 bytes. */
export function startOfSafetensors(header: string): Uint8Array {
  const text = new TextEncoder().encode(header)
  const headerBytes = paddedLength(text)
  const start = new Uint8Array(LENGTH_BYTES + headerBytes)
  new DataView(start.buffer).setBigUint64(0, BigInt(headerBytes), true)
  start.fill(0x20, LENGTH_BYTES)
  start.set(text, LENGTH_BYTES)
  return start
}

/** The same memory. Typed arrays are little-endian, as the format wants, on every machine that Node.js runs on but s390x. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/** Puts a file together. */
export function joinSafetensors(header: string, parts: readonly Uint8Array[]): Uint8Array {
  const start = startOfSafetensors(header)
  const dataBytes = parts.reduce((sum, part) => sum + part.length, 0)
  const file = new Uint8Array(start.length + dataBytes)
  file.set(start)
  let position = start.length
  for (const part of parts) {
    file.set(part, position)
    position += part.length
  }
  return file
}

function parseHeader(header: Uint8Array): Record<string, unknown> {
  if (header[0] !== 0x7b) throw invalid('The header does not begin with "{".')
  let text: string
  let parsed: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(header)
    parsed = JSON.parse(text)
  } catch (error) {
    throw invalid('The header is not JSON.', error)
  }
  if (!isRecord(parsed)) throw invalid('The header is not a JSON object.')
  // The format forbids it, and other programs may read the one that JSON.parse drops.
  if (membersIn(text) !== membersOf(parsed)) throw invalid('The header has a name twice.')
  return parsed
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a

/** Members of all objects in valid JSON as it is written: colons outside of strings. */
function membersIn(json: string): number {
  let members = 0
  let isInString = false
  for (let at = 0; at < json.length; at++) {
    const character = json.charCodeAt(at)
    if (character === QUOTE) isInString = !isInString
    else if (isInString && character === BACKSLASH) at++
    else if (!isInString && character === COLON) members++
  }
  return members
}

/** Members of all objects in a value; without recursion, as strangers nest as deeply as they like. */
function membersOf(value: unknown): number {
  let members = 0
  const left = [value]
  while (left.length > 0) {
    const next = left.pop()
    if (typeof next !== 'object' || next === null) continue
    const values: unknown[] = Object.values(next)
    if (!Array.isArray(next)) members += values.length
    for (const inner of values) left.push(inner)
  }
  return members
}

function locate(name: string, tensor: unknown) {
  if (!isRecord(tensor)) throw invalid(`${name} is not described by an object.`)
  const { dtype, shape, data_offsets: offsets } = tensor
  if (typeof dtype !== 'string' || !Object.hasOwn(DTYPE_BYTES, dtype)) {
    throw invalid(`${name} has no dtype of ${Object.keys(DTYPE_BYTES).join(', ')}.`)
  }
  if (!isSizes(shape)) throw invalid(`The shape of ${name} is not a list of sizes.`)
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw invalid(`The data_offsets of ${name} are not two positions.`)
  }
  const [begin = 0, end = 0] = offsets
  const wanted = sizeOf(shape) * DTYPE_BYTES[dtype as Dtype]
  if (end - begin !== wanted) {
    throw invalid(`${name} ${dtype} [${shape}] takes ${wanted} bytes, not ${end - begin}.`)
  }
  return { name, dtype: dtype as Dtype, shape, begin, end }
}

function isSizes(value: unknown): value is number[] {
  return (
    Array.isArray(value) &&
    value.every((size: unknown) => Number.isSafeInteger(size) && Number(size) >= 0)
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(problem: string, cause?: unknown): GraftError {
  return new GraftError('GRAFT_MODEL_FILE_INVALID', problem, { cause })
}

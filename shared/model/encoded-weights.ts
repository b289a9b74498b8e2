import { GraftError } from '../errors.ts'
import { type Encoding, storedAs } from './encodings.ts'
import { fromFloat16, isOddFloat16, toFloat16 } from './float16.ts'
import { dequantise, MOST_SCALE, quantise } from './int8.ts'
import { bytesOf, type Dtype, DTYPE_BYTES, type SafetensorsEntry } from './safetensors-format.ts'
import {
  assertFiniteFloats,
  type NamedShape,
  type NamedTensor,
  sizeOf,
  type Weights,
} from './weights.ts'

/** What a tensor of a file is called, how large it is, and how it is stored. */
export interface StoredShape extends NamedShape {
  readonly dtype: Dtype
}

/** A tensor as it lies in a file. */
export interface StoredTensor extends StoredShape {
  /** Little-endian. */
  readonly bytes: Uint8Array
}

const SCALE_SUFFIX = '_scale'

/**
 * Where the scales of an int8 tensor are, [output channel] in float32: `w = q s_c`. The name is that of compressed-tensors, in
 * which Hugging Face's models are quantised.
 */
export const scaleOf = (name: string): string => `${name}${SCALE_SUFFIX}`

/** Biases, norms and moving statistics stay float32: they are few, and a variance that is rounded to 0 spoils a network. */
const isNarrow = ({ shape }: NamedShape, dtype: Dtype): boolean =>
  dtype !== 'F32' && shape.length > 1

/**
 * The tensors of a file of these weights: those of four bytes first, scales among them, so that all lie where their type may;
 * then the encoded ones; each in the order of the weights. In float32 the weights as they are.
 */
export function storedShapes(weights: readonly NamedShape[], encoding: Encoding): StoredShape[] {
  const dtype = storedAs(encoding)
  const wide = weights.flatMap(({ name, shape }): StoredShape[] => {
    if (!isNarrow({ name, shape }, dtype)) return [{ name, shape, dtype: 'F32' }]
    if (dtype !== 'I8') return []
    return [{ name: scaleOf(name), shape: [shape.at(-1)!], dtype: 'F32' }]
  })
  const narrow = weights.filter((weight) => isNarrow(weight, dtype))
  return [...wide, ...narrow.map(({ name, shape }) => ({ name, shape, dtype }))]
}

/** Bytes of these tensors, without a file's header. */
export function storedBytes(tensors: readonly StoredShape[]): number {
  return tensors.reduce((sum, { shape, dtype }) => sum + sizeOf(shape) * DTYPE_BYTES[dtype], 0)
}

/** Names of the scales among {@link storedShapes}. */
export function scaleNames(weights: readonly NamedShape[], encoding: Encoding): Set<string> {
  const dtype = storedAs(encoding)
  const quantised = weights.filter((weight) => dtype === 'I8' && isNarrow(weight, dtype))
  return new Set(quantised.map(({ name }) => scaleOf(name)))
}

/**
 * @param weights finite
 * @returns in the order of {@link storedShapes}; views of what is not encoded
 */
export function encodeWeights(weights: Weights, encoding: Encoding): StoredTensor[] {
  const dtype = storedAs(encoding)
  const wide: StoredTensor[] = []
  const narrow: StoredTensor[] = []
  for (const { name, shape, data } of weights) {
    if (!isNarrow({ name, shape }, dtype)) {
      wide.push({ name, shape, dtype: 'F32', bytes: bytesOf(data) })
    } else if (dtype === 'F16') {
      narrow.push({ name, shape, dtype, bytes: bytesOf(toFloat16(data)) })
    } else {
      const channels = shape.at(-1)!
      const { values, scales } = quantise(data, channels)
      wide.push({ name: scaleOf(name), shape: [channels], dtype: 'F32', bytes: bytesOf(scales) })
      narrow.push({ name, shape, dtype, bytes: bytesOf(values) })
    }
  }
  return [...wide, ...narrow]
}

/**
 * @param stored with the tensors of {@link storedShapes} among them
 * @param weights their names and shapes, in the order wanted
 * @returns views where nothing is encoded and all is aligned
 * @throws GraftError GRAFT_NOT_FINITE, GRAFT_MESSAGE_INVALID for scales that {@link assertScales} refuses
 */
export function decodeWeights(
  stored: readonly SafetensorsEntry[],
  weights: readonly NamedShape[],
): Weights {
  const byName = new Map(stored.map((tensor) => [tensor.name, tensor]))
  return weights.map(({ name, shape }): NamedTensor => {
    const { dtype, bytes } = byName.get(name)!
    if (dtype === 'F32') return { name, shape, data: floatsIn(bytes) }
    if (dtype === 'F16') return { name, shape, data: fromFloat16(halvesIn(bytes)) }
    const scales = floatsIn(byName.get(scaleOf(name))!.bytes)
    assertScales(scaleOf(name), scales)
    const values = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return { name, shape, data: dequantise(values, scales) }
  })
}

/**
 * @param first index of the first of these scales
 * @throws GraftError GRAFT_NOT_FINITE; GRAFT_MESSAGE_INVALID for one that is negative, or so large that weights would not be finite
 */
export function assertScales(name: string, scales: Float32Array, first = 0): void {
  assertFiniteFloats(name, scales, first)
  const at = scales.findIndex((scale) => scale < 0 || scale > MOST_SCALE)
  if (at < 0) return
  const problem = `${name}[${first + at}] is ${scales[at]!}; a scale is from 0 to ${MOST_SCALE}.`
  throw new GraftError('GRAFT_MESSAGE_INVALID', problem)
}

/**
 * @param first index in the weight of the first of these half floats
 * @throws GraftError GRAFT_NOT_FINITE naming the first that is NaN or infinity
 */
export function assertFiniteHalves(name: string, halves: Uint16Array, first = 0): void {
  const at = halves.findIndex(isOddFloat16)
  if (at < 0) return
  const [value] = fromFloat16(halves.subarray(at, at + 1))
  throw new GraftError('GRAFT_NOT_FINITE', `${name}[${first + at}] is ${value!}.`)
}

/** A view where that is aligned, else a copy. */
export function floatsIn(bytes: Uint8Array): Float32Array {
  const { buffer, byteOffset, byteLength } = aligned(bytes, DTYPE_BYTES.F32)
  return new Float32Array(buffer, byteOffset, byteLength / DTYPE_BYTES.F32)
}

export function halvesIn(bytes: Uint8Array): Uint16Array {
  const { buffer, byteOffset, byteLength } = aligned(bytes, DTYPE_BYTES.F16)
  return new Uint16Array(buffer, byteOffset, byteLength / DTYPE_BYTES.F16)
}

// Not `slice`: that of a Buffer copies nothing.
const aligned = (bytes: Uint8Array, size: number): Uint8Array =>
  bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes)

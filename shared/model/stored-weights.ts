import { assertStoredSo } from './encoded-model.ts'
import { assertScales, scaleOf, type StoredShape, storedShapes } from './encoded-weights.ts'
import type { Encoding } from './encodings.ts'
import { decodeFloat16 } from './float16.ts'
import { dequantiseInto } from './int8.ts'
import { weightsIn, withoutCounters } from './safetensors.ts'
import {
  bytesOf,
  DTYPE_BYTES,
  headerLength,
  LENGTH_BYTES,
  type LocatedTensor,
  parseSafetensorsHeader,
} from './safetensors-format.ts'
import { readBlock, stretchesOf, type WeightReader } from './weight-reader.ts'
import { assertFiniteBlock } from './weight-stream.ts'
import { type NamedShape, sizeOf } from './weights.ts'

/** Bytes that need not be in memory. */
export interface ByteReader {
  /** Fills `target` with the bytes from `offset` on; there must be so many. */
  readonly read: (offset: number, target: Uint8Array) => Promise<void>
}

/** A safetensors file of which only the header has been read. */
export interface OpenSafetensors {
  /** In the order of their bytes. */
  readonly tensors: readonly LocatedTensor[]
  readonly metadata: Readonly<Record<string, string>>
  /** Fills `target` with a tensor's bytes, from its byte `offset` on. */
  readonly readTensor: (tensor: LocatedTensor, offset: number, target: Uint8Array) => Promise<void>
}

/** @throws GraftError GRAFT_MODEL_FILE_INVALID for a file that is cut short or says what cannot be */
export async function openSafetensorsFile(
  file: ByteReader & { readonly sizeBytes: number },
): Promise<OpenSafetensors> {
  const start = new Uint8Array(Math.min(LENGTH_BYTES, file.sizeBytes))
  await file.read(0, start)
  const header = new Uint8Array(headerLength(start, file.sizeBytes))
  await file.read(LENGTH_BYTES, header)
  const begin = LENGTH_BYTES + header.length
  return {
    ...parseSafetensorsHeader(header, file.sizeBytes - begin),
    readTensor: (tensor, offset, target) => file.read(begin + tensor.begin + offset, target),
  }
}

/**
 * The weights of a model file, all float32, in the order of their bytes.
 * @throws GraftError GRAFT_MODEL_FILE_INVALID for a tensor that is not F32
 */
export function readerOfModel(file: OpenSafetensors): WeightReader {
  const tensors = weightsIn(file.tensors)
  return readerOfTensors(file, { shapes: tensors, tensors, scales: new Map() })
}

/**
 * The weights of a file for the wire, decoded as they are read.
 *
 * @param file with the tensors that such a file has among its own
 * @param weights what must be in it
 * @throws GraftError GRAFT_NOT_FINITE, GRAFT_MESSAGE_INVALID for scales; reading throws GRAFT_NOT_FINITE
 */
export async function readerOfEncoded(
  file: OpenSafetensors,
  weights: readonly NamedShape[],
): Promise<WeightReader> {
  const byName = new Map(file.tensors.map((tensor) => [tensor.name, tensor]))
  const tensors = weights.map(({ name }) => byName.get(name)!)
  const scales = new Map<string, Float32Array>()
  for (const { name, dtype } of tensors) {
    if (dtype === 'I8') scales.set(name, await readScales(file, byName.get(scaleOf(name))!))
  }
  const { read } = readerOfTensors(file, { shapes: weights, tensors, scales })
  return {
    shapes: weights,
    async read(from, target) {
      await read(from, target)
      assertFiniteBlock(weights, { from, block: target })
    },
  }
}

/**
 * The same of a model as clients get it.
 * @throws GraftError GRAFT_MODEL_FILE_INVALID, GRAFT_SHAPE_MISMATCH for other tensors
 */
export async function readerOfClientModel(
  file: OpenSafetensors,
  weights: readonly NamedShape[],
  encoding: Encoding,
): Promise<WeightReader> {
  if (encoding === 'float32') return readerOfModel(file)
  const stored: readonly StoredShape[] = withoutCounters(file.tensors)
  assertStoredSo(stored, storedShapes(weights, encoding))
  return readerOfEncoded(file, weights)
}

/** `w_0 + d`, what an update of differences stands for. @param base of the same shapes */
export function sumOf(differences: WeightReader, base: WeightReader): WeightReader {
  return {
    shapes: differences.shapes,
    async read(from, target) {
      await differences.read(from, target)
      const to = await readBlock(base, from, target.length)
      for (let i = 0; i < target.length; i++) target[i]! += to[i]!
    },
  }
}

/** All numbers of a tensor of float32. */
export async function readFloats(
  file: OpenSafetensors,
  tensor: LocatedTensor,
): Promise<Float32Array> {
  const floats = new Float32Array(sizeOf(tensor.shape))
  await file.readTensor(tensor, 0, bytesOf(floats))
  return floats
}

async function readScales(file: OpenSafetensors, tensor: LocatedTensor): Promise<Float32Array> {
  const scales = await readFloats(file, tensor)
  assertScales(tensor.name, scales)
  return scales
}

interface Tensors {
  readonly shapes: readonly NamedShape[]
  /** Where each of the shapes lies. */
  readonly tensors: readonly LocatedTensor[]
  /** Of the tensors of int8, by their names. */
  readonly scales: ReadonlyMap<string, Float32Array>
}

function readerOfTensors(
  file: OpenSafetensors,
  { shapes, tensors, scales }: Tensors,
): WeightReader {
  return {
    shapes,
    async read(from, target) {
      for (const run of runsOf(tensors, stretchesOf(shapes, from, target.length))) {
        const { tensor, offset, at, size } = run
        await readPart({ file, tensor, scales }, offset, target.subarray(at, at + size))
      }
    },
  }
}

interface Run {
  readonly tensor: LocatedTensor
  readonly offset: number
  readonly at: number
  readonly size: number
}

/** Stretches whose float32 lie behind each other are read together: of a small model all. */
function runsOf(
  tensors: readonly LocatedTensor[],
  stretches: ReturnType<typeof stretchesOf>,
): Run[] {
  const runs: Run[] = []
  /** Where the bytes of the last run end. */
  let end = -1
  for (const { index, offset, at, size } of stretches) {
    const tensor = tensors[index]!
    const begin = tensor.begin + offset * DTYPE_BYTES[tensor.dtype]
    const last = runs.at(-1)
    if (last?.tensor.dtype === 'F32' && tensor.dtype === 'F32' && begin === end) {
      runs[runs.length - 1] = { ...last, size: last.size + size }
    } else {
      runs.push({ tensor, offset, at, size })
    }
    end = begin + size * DTYPE_BYTES[tensor.dtype]
  }
  return runs
}

/** Encoded numbers are read into the end of the place for the decoded ones, which grow towards them. */
async function readPart(
  {
    file,
    tensor,
    scales,
  }: Pick<Tensors, 'scales'> & { file: OpenSafetensors; tensor: LocatedTensor },
  offset: number,
  target: Float32Array,
): Promise<void> {
  const size = DTYPE_BYTES[tensor.dtype]
  const encoded = bytesOf(target).subarray(target.byteLength - target.length * size)
  await file.readTensor(tensor, offset * size, encoded)
  const { buffer, byteOffset, length } = encoded
  if (tensor.dtype === 'F16') {
    decodeFloat16(new Uint16Array(buffer, byteOffset, target.length), target)
  } else if (tensor.dtype === 'I8') {
    const values = new Int8Array(buffer, byteOffset, length)
    dequantiseInto(target, values, { scales: scales.get(tensor.name)!, first: offset })
  }
}

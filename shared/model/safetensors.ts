import { GraftError } from '../errors.ts'
import { joinSafetensors, parseSafetensors, type SafetensorsEntry } from './safetensors-format.ts'
import { sizeOf, type NamedTensor, type Weights } from './weights.ts'

/**
 * Writes weights as one safetensors file: float32, in the order given, each exactly behind the other.
 * The same weights and metadata, in the same order, give the same bytes.
 *
 * @throws GraftError GRAFT_MODEL_FILE_INVALID for a name that is given twice or is `__metadata__`
 * @throws RangeError when a tensor's data does not fill its shape: the caller's mistake, so no code
 */
export function encodeSafetensors(
  tensors: Weights,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const names = new Set(['__metadata__'])
  // Written by hand, as JavaScript objects move keys that look like numbers to the front.
  const members = [`"__metadata__":${JSON.stringify(metadata)}`]
  let position = 0
  for (const { name, shape, data } of tensors) {
    if (names.has(name)) throw invalid(`There cannot be a tensor "${name}" here.`)
    names.add(name)
    if (data.length !== sizeOf(shape)) {
      throw new RangeError(`${name} [${shape}] has ${data.length} values`)
    }
    const end = position + data.byteLength
    const entry = { dtype: 'F32', shape, data_offsets: [position, end] }
    members.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`)
    position = end
  }
  return joinSafetensors(
    `{${members.join(',')}}`,
    tensors.map(({ data }) => bytesOf(data)),
  )
}

/** A counter beside PyTorch's batch normalisations, an int64 that no network computes with. */
const COUNTER = /(^|\.)num_batches_tracked$/

/**
 * Reads a safetensors file that {@link encodeSafetensors} or another program wrote. PyTorch's
 * `num_batches_tracked` is left out.
 *
 * @returns tensors in the order of their bytes; fresh arrays
 * @throws GraftError GRAFT_MODEL_FILE_INVALID for a broken file, or a tensor that is not F32
 */
export function decodeSafetensors(bytes: Uint8Array): {
  tensors: Weights
  metadata: Readonly<Record<string, string>>
} {
  const { entries, metadata } = parseSafetensors(bytes)
  const weights = entries.filter(({ name }) => !COUNTER.test(name))
  return { tensors: weights.map(toFloat32), metadata }
}

function toFloat32({ name, dtype, shape, bytes }: SafetensorsEntry): NamedTensor {
  if (dtype !== 'F32') throw invalid(`${name} is ${dtype}; weights are F32.`)
  // The copy is aligned, which the view need not be. Not `slice`: that of a Buffer copies nothing.
  return { name, shape, data: new Float32Array(new Uint8Array(bytes).buffer) }
}

/** Float32Array is little-endian, as the format wants, on every machine that Node.js runs on but s390x. */
function bytesOf(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

function invalid(problem: string): GraftError {
  return new GraftError('GRAFT_MODEL_FILE_INVALID', problem)
}

import { GraftError } from '../errors.ts'
import type { StoredShape, StoredTensor } from './encoded-weights.ts'
import {
  bytesOf,
  type Dtype,
  DTYPE_BYTES,
  joinSafetensors,
  parseSafetensors,
} from './safetensors-format.ts'
import { type NamedShape, sizeOf, type Weights } from './weights.ts'

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
  for (const { name, shape, data } of tensors) {
    if (data.length === sizeOf(shape)) continue
    throw new RangeError(`${name} [${shape}] has ${data.length} values`)
  }
  return joinSafetensors(
    safetensorsHeader(tensors, metadata),
    tensors.map(({ data }) => bytesOf(data)),
  )
}

/** The same of tensors of any type, as they are to lie in the file. */
export function writeSafetensors(
  tensors: readonly StoredTensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  return joinSafetensors(
    safetensorsHeader(tensors, metadata),
    tensors.map(({ bytes }) => bytes),
  )
}

/**
 * The header that {@link encodeSafetensors} writes, unpadded.
 * @param tensors F32 where they do not say otherwise
 * @throws GraftError GRAFT_MODEL_FILE_INVALID for a name that is given twice or is `__metadata__`
 */
export function safetensorsHeader(
  tensors: readonly (NamedShape & Partial<StoredShape>)[],
  metadata: Readonly<Record<string, string>>,
): string {
  const names = new Set(['__metadata__'])
  // Written by hand, as JavaScript objects move keys that look like numbers to the front.
  const members = [`"__metadata__":${JSON.stringify(metadata)}`]
  let position = 0
  for (const { name, shape, dtype = 'F32' } of tensors) {
    if (names.has(name)) throw invalid(`There cannot be a tensor "${name}" here.`)
    names.add(name)
    const end = position + sizeOf(shape) * DTYPE_BYTES[dtype]
    const entry = { dtype, shape, data_offsets: [position, end] }
    members.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`)
    position = end
  }
  return `{${members.join(',')}}`
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
export function decodeSafetensors(bytes: Uint8Array): DecodedSafetensors {
  const { entries, metadata } = parseSafetensors(bytes)
  const tensors = weightsIn(entries).map(({ name, shape, bytes: view }) => ({
    ...{ name, shape },
    // The copy is aligned, which the view need not be. Not `slice`: that of a Buffer copies nothing.
    data: new Float32Array(new Uint8Array(view).buffer),
  }))
  return { tensors, metadata }
}

export interface DecodedSafetensors {
  readonly tensors: Weights
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * The tensors that are weights.
 * @throws GraftError GRAFT_MODEL_FILE_INVALID for one that is not F32
 */
export function weightsIn<Tensor extends { readonly name: string; readonly dtype: Dtype }>(
  tensors: readonly Tensor[],
): Tensor[] {
  const weights = withoutCounters(tensors)
  const odd = weights.find(({ dtype }) => dtype !== 'F32')
  if (odd !== undefined) throw invalid(`${odd.name} is ${odd.dtype}; weights are F32.`)
  return weights
}

/** Without what PyTorch counts, and no network computes with. */
export function withoutCounters<Tensor extends { readonly name: string }>(
  tensors: readonly Tensor[],
): Tensor[] {
  return tensors.filter(({ name }) => !COUNTER.test(name))
}

function invalid(problem: string): GraftError {
  return new GraftError('GRAFT_MODEL_FILE_INVALID', problem)
}

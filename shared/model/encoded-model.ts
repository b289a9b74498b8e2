import { GraftError } from '../errors.ts'
import { decodeWeights, encodeWeights, type StoredShape, storedShapes } from './encoded-weights.ts'
import type { Encoding } from './encodings.ts'
import { decodeSafetensors, withoutCounters, writeSafetensors } from './safetensors.ts'
import { parseSafetensors } from './safetensors-format.ts'
import { assertSameShapes, type NamedShape, type Weights } from './weights.ts'

/**
 * A safetensors file of weights for the wire: the same weights, metadata and encoding give the same bytes.
 * @param weights finite
 */
export function encodeModel(
  weights: Weights,
  metadata: Readonly<Record<string, string>>,
  encoding: Encoding,
): Uint8Array {
  const said = encoding === 'float32' ? metadata : { ...metadata, encoding }
  return writeSafetensors(encodeWeights(weights, encoding), said)
}

/**
 * @param bytes of {@link encodeModel}; small weights may lie in them
 * @param weights what must be in it
 * @throws GraftError GRAFT_MODEL_FILE_INVALID, GRAFT_SHAPE_MISMATCH; GRAFT_NOT_FINITE, GRAFT_MESSAGE_INVALID for scales
 */
export function decodeModel(
  bytes: Uint8Array,
  weights: readonly NamedShape[],
  encoding: Encoding,
): Weights {
  if (encoding === 'float32') return decodeSafetensors(bytes).tensors
  const entries = withoutCounters(parseSafetensors(bytes).entries)
  assertStoredSo(entries, storedShapes(weights, encoding))
  return decodeWeights(entries, weights)
}

/**
 * @throws GraftError GRAFT_SHAPE_MISMATCH for other names, shapes or another order; GRAFT_MODEL_FILE_INVALID for another type
 */
export function assertStoredSo(
  actual: readonly StoredShape[],
  expected: readonly StoredShape[],
): void {
  assertSameShapes(actual, expected)
  for (const [index, { name, dtype }] of actual.entries()) {
    const wanted = expected[index]!.dtype
    if (dtype === wanted) continue
    throw new GraftError('GRAFT_MODEL_FILE_INVALID', `${name} is ${dtype}; here it is ${wanted}.`)
  }
}

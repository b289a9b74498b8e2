import { GraftError } from '../errors.ts'
import { decodeWeights, type StoredShape, storedShapes } from './encoded-weights.ts'
import type { Encoding } from './encodings.ts'
import { decodeSafetensors, withoutCounters } from './safetensors.ts'
import { parseSafetensors } from './safetensors-format.ts'
import { assertSameShapes, type NamedShape, type Weights } from './weights.ts'

/**
 * @param bytes a safetensors file of weights for the wire; small weights may lie in them
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

import { decodeWeights, encodeWeights } from '../../shared/model/encoded-weights.ts'
import type { Encoding } from '../../shared/model/encodings.ts'
import { writeSafetensors } from '../../shared/model/safetensors.ts'
import type { Weights } from '../../shared/model/weights.ts'

/** A model file for the wire, made at once. @param weights finite */
export function encodeModel(
  weights: Weights,
  metadata: Readonly<Record<string, string>>,
  encoding: Encoding,
): Uint8Array {
  const said = encoding === 'float32' ? metadata : { ...metadata, encoding }
  return writeSafetensors(encodeWeights(weights, encoding), said)
}

/** What a receiver has when weights were sent so: the same as encoding them and decoding again. */
export function asReceived(weights: Weights, encoding: Encoding): Weights {
  return decodeWeights(encodeWeights(weights, encoding), weights)
}

/** `w_0 + d`, what an update of differences stands for, in fresh weights. */
export function addWeights(differences: Weights, base: Weights): Weights {
  return differences.map(({ name, shape, data }, index) => {
    const to = base[index]!.data
    return { name, shape, data: data.map((value, i) => value + to[i]!) }
  })
}

import { decodeWeights, encodeWeights, scaleNames } from '../../../shared/model/encoded-weights.ts'
import { type Encoding, isDelta } from '../../../shared/model/encodings.ts'
import { parseSafetensors } from '../../../shared/model/safetensors-format.ts'
import { writeSafetensors } from '../../../shared/model/safetensors.ts'

/**
 * An update that says it has learned far more than it has: what training changed of the global model, times a factor. It is
 * finite and of the run's shape, so that only the others' updates tell that it is odd. Its scores stay.
 *
 * @param globalModel what was trained from, as clients get it; its weights are those that are scaled
 * @returns fresh bytes
 */
export function scaleUpdate(
  bytes: Uint8Array,
  globalModel: Uint8Array,
  factor: number,
  encoding: Encoding = 'float32',
): Uint8Array {
  const { entries, metadata } = parseSafetensors(bytes)
  const ofStart = parseSafetensors(globalModel).entries
  const known = new Set(ofStart.map(({ name }) => name))
  const scales = scaleNames(ofStart, encoding)
  const weights = entries.filter(({ name }) => known.has(name) && !scales.has(name))
  const start = decodeWeights(ofStart, weights)
  const scaled = decodeWeights(entries, weights).map(({ name, shape, data }, index) => {
    const from = isDelta(encoding) ? undefined : start[index]!.data
    const moved = data.map((value, i) => {
      const origin = from?.[i] ?? 0
      return origin + factor * (value - origin)
    })
    return { name, shape, data: moved }
  })
  // In the order of the file.
  const stored = new Map(encodeWeights(scaled, encoding).map((tensor) => [tensor.name, tensor]))
  return writeSafetensors(
    entries.map((entry) => stored.get(entry.name) ?? entry),
    metadata,
  )
}

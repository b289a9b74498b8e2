import { decodeSafetensors, encodeSafetensors } from '../../../shared/model/safetensors.ts'

/**
 * An update that says it has learned far more than it has: what training changed of the global model, times a factor. It is
 * finite and of the run's shape, so that only the others' updates tell that it is odd. Its scores stay.
 *
 * @param globalModel what was trained from; its weights are those that are scaled
 * @returns fresh bytes
 */
export function scaleUpdate(
  bytes: Uint8Array,
  globalModel: Uint8Array,
  factor: number,
): Uint8Array {
  const { tensors, metadata } = decodeSafetensors(bytes)
  const start = new Map(decodeSafetensors(globalModel).tensors.map((each) => [each.name, each]))
  const scaled = tensors.map((tensor) => {
    const from = start.get(tensor.name)?.data
    if (from === undefined) return tensor
    const data = tensor.data.map((value, i) => from[i]! + factor * (value - from[i]!))
    return { ...tensor, data }
  })
  return encodeSafetensors(scaled, metadata)
}

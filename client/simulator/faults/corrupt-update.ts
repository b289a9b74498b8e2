import { decodeSafetensors, encodeSafetensors } from '../../../shared/model/safetensors.ts'
import { sizeOf } from '../../../shared/model/weights.ts'
import type { FaultOf } from './draw-faults.ts'

/** How an update is none of its run. */
type Malformation = Exclude<FaultOf<'corrupt'>['how'], 'scale'>

/**
 * An update as an honest client never sends it: whole by its own hash, and not to be fused.
 *
 * @param how `nan`: the first weight is not a number; `shape`: the first tensor is flat
 * @returns fresh bytes
 */
export function corruptUpdate(bytes: Uint8Array, how: Malformation): Uint8Array {
  const { tensors, metadata } = decodeSafetensors(bytes)
  const [first, ...others] = tensors
  if (first === undefined) throw new RangeError('an update has at least one weight')
  const broken =
    how === 'nan'
      ? { ...first, data: first.data.with(0, Number.NaN) }
      : { ...first, shape: [sizeOf(first.shape)] }
  return encodeSafetensors([broken, ...others], metadata)
}

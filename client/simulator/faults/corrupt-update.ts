import {
  parseSafetensors,
  type SafetensorsEntry,
} from '../../../shared/model/safetensors-format.ts'
import { writeSafetensors } from '../../../shared/model/safetensors.ts'
import { sizeOf } from '../../../shared/model/weights.ts'
import type { FaultOf } from './draw-faults.ts'

/** How an update is none of its run. */
type Malformation = Exclude<FaultOf<'corrupt'>['how'], 'scale'>

const HALF_NAN = 0x7e_00

/**
 * An update as an honest client never sends it: whole by its own hash, and not to be fused.
 *
 * @param how `nan`: the first number is none; `shape`: the first tensor of several axes is flat
 * @returns fresh bytes
 */
export function corruptUpdate(bytes: Uint8Array, how: Malformation): Uint8Array {
  const { entries, metadata } = parseSafetensors(bytes)
  const chosen = entries.find(({ shape }) => how === 'nan' || shape.length > 1)
  if (chosen === undefined) throw new RangeError('an update has at least one weight')
  const broken =
    how === 'nan'
      ? { ...chosen, bytes: withNaN(chosen) }
      : { ...chosen, shape: [sizeOf(chosen.shape)] }
  const tensors = entries.map((entry) => (entry === chosen ? broken : entry))
  return writeSafetensors(tensors, metadata)
}

/** Of float32 or, where a network has no tensor of that, of half floats. */
function withNaN({ bytes, dtype }: SafetensorsEntry): Uint8Array {
  const copy = new Uint8Array(bytes)
  const view = new DataView(copy.buffer)
  if (dtype === 'F16') view.setUint16(0, HALF_NAN, true)
  else view.setFloat32(0, Number.NaN, true)
  return copy
}

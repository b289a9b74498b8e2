import { describe, expect, it } from 'vitest'
import { scaleUpdate } from '../../../../../client/simulator/faults/scale-update.ts'
import { encodeSafetensors } from '../../../../../shared/model/safetensors.ts'
import { decodeUpdate } from '../../../../../shared/protocol/update.ts'
import { TOY_WIDTHS, toyUpdate, toyWeights } from '../../../../support/toy-run.ts'

const EXPECTED = { weights: toyWeights('any'), widths: TOY_WIDTHS, numClasses: 4 }

describe('scaleUpdate', () => {
  it('should multiply what training changed, and keep what else the update says', () => {
    const start = toyWeights('start')
    const { bytes } = toyUpdate('a', { scorer: 'conductance' })
    const before = Uint8Array.from(bytes)
    const honest = decodeUpdate(bytes, EXPECTED)
    const scaled = decodeUpdate(
      scaleUpdate(bytes, encodeSafetensors(start, { format: 'graft' }), 50),
      EXPECTED,
    )
    expect(bytes).toEqual(before)
    expect({ ...scaled, weights: [] }).toEqual({ ...honest, weights: [] })
    scaled.weights.forEach(({ data }, index) => {
      const [from, to] = [start[index]!.data, honest.weights[index]!.data]
      data.forEach((value, i) => {
        expect(value).toBeCloseTo(from[i]! + 50 * (to[i]! - from[i]!), 3)
      })
    })
  })
})

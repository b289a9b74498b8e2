import { describe, expect, it } from 'vitest'
import { corruptUpdate } from '../../../../../client/simulator/faults/corrupt-update.ts'
import { decodeUpdate } from '../../../../../shared/protocol/update.ts'
import { TOY_WIDTHS, toyUpdate, toyWeights } from '../../../../support/toy-run.ts'

const EXPECTED = { weights: toyWeights('any'), widths: TOY_WIDTHS, numClasses: 4 }

describe('corruptUpdate', () => {
  it.each([
    { how: 'nan', code: 'GRAFT_NOT_FINITE' },
    { how: 'shape', code: 'GRAFT_SHAPE_MISMATCH' },
  ] as const)('should make an update that is refused with $code', ({ how, code }) => {
    const { bytes } = toyUpdate('a')
    const before = Uint8Array.from(bytes)
    const corrupt = corruptUpdate(bytes, how)
    expect(bytes).toEqual(before)
    expect(corrupt.length).toBeLessThanOrEqual(bytes.length)
    expect(() => decodeUpdate(bytes, EXPECTED)).not.toThrow()
    expect(() => decodeUpdate(corrupt, EXPECTED)).toThrow(expect.objectContaining({ code }))
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RoundNumber } from '../../../../shared/ids.ts'
import { encodeSafetensors } from '../../../../shared/model/safetensors.ts'
import { decodeUpdate, encodeUpdate, type Update } from '../../../../shared/protocol/update.ts'

const EXPECTED = {
  weights: [
    { name: 'fc1.kernel', shape: [2, 3] },
    { name: 'fc1.bias', shape: [3] },
  ],
  widths: [3],
  numClasses: 3,
}
const METADATA = {
  format: 'graft',
  architecture: 'mlp:2-3',
  round: '1',
  num_examples: '6',
  class_counts: '[1,2,3]',
  scorer: 'conductance',
}

describe('an update', () => {
  it('should come back as it was sent', () => {
    const update = someUpdate()
    expect(decodeUpdate(encodeUpdate(update), EXPECTED)).toEqual(update)
  })

  it('should come back for any finite weights and scores', () => {
    const floats = (n: number, min: number) =>
      fc.float32Array({ minLength: n, maxLength: n, min, max: 1e6, noNaN: true })
    fc.assert(
      fc.property(floats(6, -1e6), floats(3, -1e6), floats(3, 0), (kernel, bias, scores) => {
        const update = someUpdate({ kernel, bias, scores: [scores] })
        expect(decodeUpdate(encodeUpdate(update), EXPECTED)).toEqual(update)
      }),
    )
  })

  it('should give the same bytes for the same update', () => {
    expect(encodeUpdate(someUpdate())).toEqual(encodeUpdate(someUpdate()))
  })

  it('may come without scores', () => {
    const update = someUpdate({ scores: [] })
    expect(decodeUpdate(encodeUpdate(update), EXPECTED).scores).toEqual([])
  })

  it('should not be sent when it is not finite', () => {
    const bias = Float32Array.of(0, NaN, 0)
    expect(() => encodeUpdate(someUpdate({ bias }))).toThrow(
      expect.objectContaining({ code: 'GRAFT_NOT_FINITE' }),
    )
  })
})

describe('decodeUpdate', () => {
  const kernel = { name: 'fc1.kernel', shape: [2, 3], data: new Float32Array(6) }
  const bias = { name: 'fc1.bias', shape: [3], data: new Float32Array(3) }
  const scores = (...data: number[]) => ({
    name: 'attribution.0',
    shape: [data.length],
    data: Float32Array.from(data),
  })

  it.each([
    ['a missing weight', [kernel], 'GRAFT_SHAPE_MISMATCH', 'fc1.bias'],
    ['a weight too many', [kernel, bias, { ...bias, name: 'x' }], 'GRAFT_SHAPE_MISMATCH', 'x'],
    ['another order', [bias, kernel], 'GRAFT_SHAPE_MISMATCH', 'fc1.bias'],
    ['another shape', [{ ...kernel, shape: [3, 2] }, bias], 'GRAFT_SHAPE_MISMATCH', '3,2'],
    ['too few scores', [kernel, bias, scores(1, 1)], 'GRAFT_SHAPE_MISMATCH', 'attribution.0'],
    [
      'a level too many',
      [kernel, bias, scores(1, 1, 1), { ...scores(1), name: 'attribution.1' }],
      'GRAFT_SHAPE_MISMATCH',
      'attribution.1',
    ],
    [
      'infinite scores',
      [kernel, bias, scores(1, Infinity, 1)],
      'GRAFT_NOT_FINITE',
      'attribution.0',
    ],
    [
      'infinite weights',
      [kernel, { ...bias, data: Float32Array.of(0, 0, -Infinity) }],
      'GRAFT_NOT_FINITE',
      'fc1.bias[2]',
    ],
    [
      'negative scores',
      [kernel, bias, scores(1, -2, 1)],
      'GRAFT_MESSAGE_INVALID',
      'attribution.0[1]',
    ],
  ])('should refuse %s', (_what, tensors, code, culprit) => {
    expect(() => decodeUpdate(encodeSafetensors(tensors, METADATA), EXPECTED)).toThrow(
      expect.objectContaining({ code, problem: expect.stringContaining(culprit) }),
    )
  })

  it.each([
    [{ ...METADATA, class_counts: '[1,2]' }, 'GRAFT_SHAPE_MISMATCH', '2 classes, not 3'],
    [{ ...METADATA, class_counts: '[1,' }, 'GRAFT_MESSAGE_INVALID', 'class_counts'],
    [{ ...METADATA, class_counts: '[1,2,-3]' }, 'GRAFT_MESSAGE_INVALID', 'class_counts'],
    [{ ...METADATA, num_examples: '0' }, 'GRAFT_MESSAGE_INVALID', 'num_examples'],
    [{ ...METADATA, round: '1.5' }, 'GRAFT_MESSAGE_INVALID', 'round'],
    [{ ...METADATA, format: 'pt' }, 'GRAFT_MESSAGE_INVALID', 'format'],
    [{}, 'GRAFT_MESSAGE_INVALID', 'architecture'],
  ])('should refuse the metadata %j', (metadata, code, culprit) => {
    const bytes = encodeSafetensors([kernel, bias], metadata)
    expect(() => decodeUpdate(bytes, EXPECTED)).toThrow(
      expect.objectContaining({ code, problem: expect.stringContaining(culprit) }),
    )
  })

  it('should refuse a truncated file', () => {
    const bytes = encodeUpdate(someUpdate())
    expect(() => decodeUpdate(bytes.subarray(0, -1), EXPECTED)).toThrow(
      expect.objectContaining({ code: 'GRAFT_MODEL_FILE_INVALID' }),
    )
  })
})

// Helpers

function someUpdate(
  parts: { kernel?: Float32Array; bias?: Float32Array; scores?: Float32Array[] } = {},
): Update {
  return {
    round: RoundNumber.parse(1),
    architecture: 'mlp:2-3',
    numExamples: 6,
    classCounts: [1, 2, 3],
    scorer: 'conductance',
    weights: [
      {
        name: 'fc1.kernel',
        shape: [2, 3],
        data: parts.kernel ?? Float32Array.of(1, 2, 3, 4, 5, 6),
      },
      { name: 'fc1.bias', shape: [3], data: parts.bias ?? Float32Array.of(-1, 0, 1) },
    ],
    scores: parts.scores ?? [Float32Array.of(0.5, 0, 2)],
  }
}

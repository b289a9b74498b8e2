import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normaliseRows, softmaxRows } from '../../../../shared/numeric/rows.ts'

describe('softmaxRows', () => {
  it('should be the softmax of each row', () => {
    const [a, b] = [1 / (1 + Math.E), Math.E / (1 + Math.E)]
    expectRow(softmaxRows(Float32Array.of(0, 1, 5, 5), 2), [a, b, 0.5, 0.5])
  })

  it('should survive any finite logits', () => {
    const logits = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
      minLength: 6,
      maxLength: 6,
    })
    fc.assert(
      fc.property(logits, (values) => {
        const probabilities = softmaxRows(Float32Array.from(values), 3)
        for (const start of [0, 3]) {
          const row = probabilities.subarray(start, start + 3)
          expect(row.every((p) => p >= 0 && p <= 1)).toBe(true)
          expect(row.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5)
        }
      }),
    )
  })
})

describe('normaliseRows', () => {
  it('should make every row sum to 1', () => {
    expectRow(normaliseRows(Float64Array.of(1, 3, 0, 2), 2), [0.25, 0.75, 0, 1])
  })

  it('should make a row of zeros uniform', () => {
    expectRow(normaliseRows(new Float64Array(4), 4), [0.25, 0.25, 0.25, 0.25])
  })
})

// Helpers

function expectRow(actual: Float32Array, expected: number[]): void {
  expect(actual).toHaveLength(expected.length)
  expected.forEach((value, i) => expect(actual[i]).toBeCloseTo(value, 6))
}

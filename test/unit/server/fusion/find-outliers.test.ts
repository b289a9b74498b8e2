import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OUTLIER_THRESHOLD, outlierScores } from '../../../../server/fusion/find-outliers.ts'

const flagged = (sizes: readonly number[]): number[] =>
  (outlierScores(sizes) ?? []).flatMap((score, k) => (score > OUTLIER_THRESHOLD ? [k] : []))

const size = fc.double({ min: 1e-3, max: 1e3, noNaN: true })

describe('outlierScores', () => {
  it('should name an update that is a hundred times as large as the others', () => {
    expect(flagged([1, 1.2, 0.9, 100, 1.1])).toEqual([3])
  })

  it('should name nobody for being small, or where all did nothing', () => {
    expect(flagged([1, 1.2, 0.9, 0, 1.1])).toEqual([])
    expect(flagged([0, 0, 0, 0])).toEqual([])
  })

  it('should say nothing of fewer than four', () => {
    expect(outlierScores([1, 1, 1000])).toBeNull()
  })

  it('should name nobody within 4.4 times the median, however alike the others are', () => {
    expect(flagged([1, 1, 1, 1, 1, 4.4])).toEqual([])
    expect(flagged([1, 1, 1, 1, 1, 4.5])).toEqual([5])
  })

  it('should mind neither the order nor the unit', () => {
    fc.assert(
      fc.property(
        fc.array(size, { minLength: 4 }),
        fc.integer({ min: -8, max: 8 }),
        (sizes, by) => {
          const scores = outlierScores(sizes)!
          const reversed = outlierScores([...sizes].reverse())!.reverse()
          const scaled = outlierScores(sizes.map((each) => each * 2 ** by))!
          scores.forEach((score, k) => {
            expect(reversed[k]).toBeCloseTo(score, 9)
            expect(scaled[k]).toBeCloseTo(score, 6)
          })
        },
      ),
      { seed: 7 },
    )
  })

  it('should find those who send too much, as long as they are fewer than half', () => {
    const honest = fc.array(fc.double({ min: 0.5, max: 2, noNaN: true }), { minLength: 5 })
    fc.assert(
      fc.property(honest, fc.double({ min: 0.1, max: 1 }), (sizes, share) => {
        const liars = Math.max(1, Math.floor(share * (sizes.length / 2 - 1)))
        const all = [...sizes, ...Array.from({ length: liars }, () => 1e6)]
        expect(flagged(all)).toEqual(all.flatMap((each, k) => (each === 1e6 ? [k] : [])))
      }),
      { seed: 7 },
    )
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rankCorrelation } from '../../../../shared/numeric/rank-correlation.ts'

describe('rankCorrelation', () => {
  it('should be Spearman’s: 1 - 6 sum d^2 / (n (n^2 - 1)) where no values are equal', () => {
    // d = 1, -1, 0, 0: 1 - 6 * 2 / (4 * 15)
    expect(rankCorrelation([1, 2, 3, 4], [20, 10, 30, 40])).toBeCloseTo(0.8, 12)
    expect(rankCorrelation([1, 2, 3], [3, 2, 1])).toBe(-1)
  })

  it('should give equal values the mean of their ranks', () => {
    // Ranks 0, 1.5, 1.5, 3 beside 0, 1, 2, 3: Pearson by hand is 4.5 / sqrt(4.5 * 5).
    expect(rankCorrelation([1, 2, 2, 3], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(22.5), 12)
  })

  it('should be null where nothing differs', () => {
    expect(rankCorrelation([1, 1, 1], [1, 2, 3])).toBeNull()
    expect(rankCorrelation([], [])).toBeNull()
    expect(() => rankCorrelation([1], [1, 2])).toThrow(RangeError)
  })

  it('should hear of ranks alone, and be the same both ways', () => {
    const pairs = fc.array(
      fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })),
    )
    fc.assert(
      fc.property(pairs, (given) => {
        const [a, b] = [given.map(([x]) => x), given.map(([, y]) => y)]
        const value = rankCorrelation(a, b)
        expect(rankCorrelation(b, a)).toBe(value)
        expect(
          rankCorrelation(
            a.map((x) => Math.exp(x)),
            b,
          ),
        ).toEqual(value)
        if (value !== null) expect(Math.abs(value)).toBeLessThanOrEqual(1)
      }),
      { seed: 7 },
    )
  })
})

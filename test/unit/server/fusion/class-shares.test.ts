import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { classShares } from '../../../../server/fusion/class-shares.ts'

describe('classShares', () => {
  it('should be the share of the examples of each class', () => {
    expect(
      classShares([
        [30, 0],
        [10, 7],
      ]).map((share) => [...share]),
    ).toEqual([
      [0.75, 0],
      [0.25, 1],
    ])
  })

  it('should fall back for a class that nobody saw', () => {
    expect(
      classShares([
        [1, 0],
        [1, 0],
      ]).map((share) => share[1]),
    ).toEqual([0.5, 0.5])
    expect(
      classShares(
        [
          [1, 0],
          [1, 0],
        ],
        [1, 3],
      ).map((share) => share[1]),
    ).toEqual([0.25, 0.75])
  })

  it('should sum to 1 for every class', () => {
    const counts = fc.array(fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1)), { minLength: 1 })
    fc.assert(
      fc.property(counts, (classCounts) => {
        const shares = classShares(classCounts)
        for (const c of [0, 1, 2]) {
          expect(shares.reduce((sum, share) => sum + share[c]!, 0)).toBeCloseTo(1, 12)
        }
      }),
    )
  })

  it('should refuse counts of different classes', () => {
    expect(() => classShares([[1, 2], [1]])).toThrow(RangeError)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { medianDeviation, medianOf } from '../../../../shared/numeric/median.ts'

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 })

describe('medianOf', () => {
  it('should take the middle, or the mean of the two there', () => {
    expect(medianOf([3, 1, 2])).toBe(2)
    expect(medianOf([10, 2, 1, 4])).toBe(3)
    // As numbers, not as text.
    expect(medianOf([10, 9, 100])).toBe(10)
    expect(() => medianOf([])).toThrow(RangeError)
  })

  it('should have as many values above as below', () => {
    fc.assert(
      fc.property(values, (given) => {
        const middle = medianOf(given)
        const above = given.filter((value) => value > middle).length
        const below = given.filter((value) => value < middle).length
        expect(Math.max(above, below)).toBeLessThanOrEqual(given.length / 2)
      }),
      { seed: 7 },
    )
  })
})

describe('medianOf, where values are equal or without bound', () => {
  it('should be what sorting gives, and leave the values as they were', () => {
    const few = fc.array(fc.constantFrom(-Infinity, -1, 0, 2, 3, 1e300), { minLength: 1 })
    fc.assert(
      fc.property(few, (given) => {
        const before = [...given]
        const sorted = [...given].sort((a, b) => a - b)
        const middle = sorted.length >> 1
        const below = sorted.length % 2 === 1 ? middle : middle - 1
        expect(medianOf(given)).toBe((sorted[below]! + sorted[middle]!) / 2)
        expect(given).toEqual(before)
      }),
      { seed: 7 },
    )
  })
})

describe('medianDeviation', () => {
  it('should estimate the standard deviation of normal values', () => {
    // Quantiles of a normal distribution with deviation 2: -+0.6745 and -+1.2816 deviations, and the mean.
    expect(medianDeviation([-2.5631, -1.349, 0, 1.349, 2.5631])).toBeCloseTo(2, 3)
  })

  it('should not be moved far by fewer than half of the values', () => {
    expect(medianDeviation([1, 2, 3, 4, 5, 1e9, 1e9])).toBeLessThan(4.5)
  })
})

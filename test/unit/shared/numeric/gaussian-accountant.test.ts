import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { epsilonOf } from '../../../../shared/numeric/gaussian-accountant.ts'

describe('epsilonOf', () => {
  it('should give what TensorFlow Privacy’s own test expects of its accountant', () => {
    // tensorflow/privacy, rdp_accountant_test.py, test_get_privacy_spent: q 0.01, noise 4, 10000 steps, delta 1e-5.
    const releases = { noise: 4, sampling: 0.01, count: 10_000 }
    expect(epsilonOf(releases, 1e-5, 'classic')).toBeCloseTo(1.258575, 5)
  })

  it.each([
    // tensorflow/privacy, tutorials/README.md: batches of 256 of 60000 examples, delta 1e-5.
    { noise: 1.3, epochs: 15, published: 1.19 },
    { noise: 1.1, epochs: 60, published: 3.01 },
    // It has fractional orders of sampled releases, too; whole ones are on the safe side by 0.02.
    { noise: 0.7, epochs: 45, published: 7.1, within: 0.03 },
  ])('should give epsilon $published as published for MNIST with noise $noise', (example) => {
    const { noise, epochs, published, within = 0.006 } = example
    const count = Math.floor((60_000 * epochs) / 256)
    const epsilon = epsilonOf({ noise, sampling: 256 / 60_000, count }, 1e-5, 'classic')
    expect(Math.abs(epsilon - published)).toBeLessThan(within)
  })

  it('should give the optimum in closed form without sampling', () => {
    // Mironov 2017: the least of a T / (2 s^2) + log(1/d) / (a - 1) over all a is r + 2 sqrt(r log(1/d)), r = T / (2 s^2).
    for (const [noise, count] of [
      [1, 1],
      [2, 10],
      [5, 3],
      [0.5, 4],
      [40, 2],
    ] as const) {
      const r = count / (2 * noise ** 2)
      const closed = r + 2 * Math.sqrt(r * Math.log(1e5))
      const epsilon = epsilonOf({ noise, sampling: 1, count }, 1e-5, 'classic')
      expect(epsilon).toBeGreaterThanOrEqual(closed - 1e-9)
      expect(epsilon).toBeLessThan(closed * 1.01)
    }
  })

  it('should be nothing for nothing, and everything without noise', () => {
    expect(epsilonOf({ noise: 1, sampling: 1, count: 0 }, 1e-5)).toBe(0)
    expect(epsilonOf({ noise: 0, sampling: 1, count: 1 }, 1e-5)).toBe(Infinity)
  })

  it('should grow with releases and shrink with noise, delta and sampling; tight below classic', () => {
    const noise = fc.double({ min: 0.4, max: 20, noNaN: true })
    const count = fc.integer({ min: 1, max: 500 })
    const sampling = fc.constantFrom(1, 0.5, 0.1)
    fc.assert(
      fc.property(noise, count, sampling, (noise, count, sampling) => {
        const releases = { noise, sampling, count }
        const epsilon = epsilonOf(releases, 1e-5)
        expect(epsilonOf({ ...releases, count: count + 1 }, 1e-5)).toBeGreaterThanOrEqual(epsilon)
        expect(epsilonOf({ ...releases, noise: noise * 2 }, 1e-5)).toBeLessThanOrEqual(epsilon)
        expect(epsilonOf(releases, 1e-3)).toBeLessThanOrEqual(epsilon)
        expect(epsilonOf(releases, 1e-5, 'classic')).toBeGreaterThanOrEqual(epsilon)
        const always = epsilonOf({ noise, sampling: 1, count }, 1e-5)
        expect(epsilon).toBeLessThanOrEqual(always + 1e-9)
      }),
      { seed: 7, numRuns: 40 },
    )
  })
})

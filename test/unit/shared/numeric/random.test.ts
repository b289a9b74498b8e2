import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dirichlet, logGamma, normal } from '../../../../shared/numeric/random.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'

// Each bound on a mean or variance is at least four standard errors of 20,000 draws wide; the seeds are
// fixed, so a test that passes once passes always.
const DRAWS = 20_000

describe('normal', () => {
  it('should have mean 0, variance 1, no skew and the tails of a normal distribution', () => {
    const draws = sample((rng) => normal(rng))
    expect(mean(draws)).toBeCloseTo(0, 1)
    expect(Math.abs(mean(draws))).toBeLessThan(0.03)
    expect(Math.abs(variance(draws) - 1)).toBeLessThan(0.05)
    expect(Math.abs(mean(draws.map((x) => x ** 3)))).toBeLessThan(0.12)
    expect(Math.abs(mean(draws.map((x) => x ** 4)) - 3)).toBeLessThan(0.3)
  })
})

describe('logGamma', () => {
  for (const shape of [0.3, 1, 4.5]) {
    it(`should have mean and variance ${shape} for shape ${shape}, after exp`, () => {
      const draws = sample((rng) => Math.exp(logGamma(shape, rng)))
      const error = Math.sqrt(shape / DRAWS)
      expect(Math.abs(mean(draws) - shape)).toBeLessThan(4 * error)
      // Var of the sample variance is about (mu4 - sigma^4) / n, with mu4 = 3 a^2 + 6 a.
      const spread = Math.sqrt((2 * shape ** 2 + 6 * shape) / DRAWS)
      expect(Math.abs(variance(draws) - shape)).toBeLessThan(5 * spread)
    })
  }

  it('should stay finite where the draw itself underflows', () => {
    const draws = sample((rng) => logGamma(0.001, rng))
    expect(draws.every(Number.isFinite)).toBe(true)
    expect(draws.some((log) => Math.exp(log) === 0)).toBe(true)
  })

  it('should refuse a shape that is not above 0', () => {
    for (const shape of [0, -1, NaN, Infinity])
      expect(() => logGamma(shape, createRng('a'))).toThrow(RangeError)
  })
})

describe('dirichlet', () => {
  it('should have the means alpha_i / sum and the variances of the distribution', () => {
    const alphas = [0.5, 1, 2.5]
    const total = 4
    const draws = Array.from({ length: DRAWS }, (_, i) => dirichlet(alphas, createRng(`d${i}`)))
    alphas.forEach((alpha, i) => {
      const share = alpha / total
      const shares = draws.map((draw) => draw[i]!)
      expect(Math.abs(mean(shares) - share)).toBeLessThan(0.01)
      expect(Math.abs(variance(shares) - (share * (1 - share)) / (total + 1))).toBeLessThan(0.005)
    })
  })

  it('should give shares that sum to 1, for concentrations from 0.0001 to 10,000', () => {
    const alphas = fc.array(fc.double({ min: 1e-4, max: 1e4, noNaN: true }), {
      minLength: 1,
      maxLength: 30,
    })
    fc.assert(
      fc.property(alphas, fc.string(), (values, seed) => {
        const shares = dirichlet(values, createRng(seed))
        expect(shares).toHaveLength(values.length)
        expect(shares.every((share) => share >= 0 && share <= 1)).toBe(true)
        expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9)
      }),
    )
  })

  it('should keep its stream from one release to the next', () => {
    const shares = dirichlet([0.1, 1, 10], createRng('golden'))
    expect([...shares].map((share) => share.toFixed(6))).toMatchInlineSnapshot(`
      [
        "0.000000",
        "0.046843",
        "0.953157",
      ]
    `)
  })
})

// Helpers

function sample(draw: (rng: ReturnType<typeof createRng>) => number): number[] {
  const rng = createRng('moments')
  return Array.from({ length: DRAWS }, () => draw(rng))
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}

function variance(values: readonly number[]): number {
  const centre = mean(values)
  return mean(values.map((value) => (value - centre) ** 2))
}

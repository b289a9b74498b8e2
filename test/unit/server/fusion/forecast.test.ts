import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PairDiversity } from '../../../../server/fusion/diversity.ts'
import { forecastTransplantation } from '../../../../server/fusion/forecast.ts'

const pair = (weightDistance: number | null, disagreement: number | null): PairDiversity => ({
  parents: ['a', 'b'],
  ...{ weightDistance, disagreement, cka: [] },
})

describe('forecastTransplantation', () => {
  it('should foresee that a network and its copy fail', () => {
    const forecast = forecastTransplantation({ pairs: [pair(0, 0)] })
    expect(forecast).toEqual({ probability: 0, isDiverseEnough: false })
  })

  it('should trust parents of different classes and starts', () => {
    expect(forecastTransplantation({ pairs: [pair(0.95, 1)] })!.isDiverseEnough).toBe(true)
    expect(forecastTransplantation({ pairs: [pair(0.12, 0.04)] })!.isDiverseEnough).toBe(false)
  })

  it('should never expect less of more diverse parents', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(share, share, share, share, (w, d, moreW, moreD) => {
        const probabilityOf = (weights: number, apart: number) =>
          forecastTransplantation({ pairs: [pair(weights, apart)] })!.probability
        const more = probabilityOf(Math.max(w, moreW), Math.max(d, moreD))
        expect(more).toBeGreaterThanOrEqual(probabilityOf(w, d))
      }),
    )
  })

  it('should take the mean of the pairs', () => {
    const both = forecastTransplantation({ pairs: [pair(0.2, 0.1), pair(0.6, 0.5)] })
    expect(both!.probability).toBeCloseTo(
      forecastTransplantation({ pairs: [pair(0.4, 0.3)] })!.probability,
      12,
    )
  })

  it('should take networks of different widths for ones that began apart', () => {
    expect(forecastTransplantation({ pairs: [pair(null, 0.2)] })).toEqual(
      forecastTransplantation({ pairs: [pair(1, 0.2)] }),
    )
    expect(forecastTransplantation({ pairs: [pair(null, 0)] })!.probability).toBeGreaterThan(0)
  })

  it('should say nothing where nothing but weights is known, or of one parent', () => {
    expect(forecastTransplantation({ pairs: [pair(0.5, null)] })).toBeNull()
    expect(forecastTransplantation({ pairs: [] })).toBeNull()
  })
})

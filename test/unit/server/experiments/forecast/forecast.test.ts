import { describe, expect, it } from 'vitest'

import {
  fitForecast,
  reportForecast,
} from '../../../../../server/experiments/forecast/forecast-reliability.ts'
import { forecastTable } from '../../../../../server/experiments/forecast/forecast-table.ts'
import type { PairResult } from '../../../../../shared/protocol/forecast-report.ts'
import { featuresOf } from '../../../../../server/fusion/forecast.ts'
import { createRng } from '../../../../../shared/numeric/rng.ts'

/** A pair whose transplant gains as much as given. */
const pairOf = (
  disagreement: number,
  gain: number,
  more: Partial<PairResult> = {},
): PairResult => ({
  ...{ dataset: 'mnist', seed: 1, kind: 'skewed parts', weightDistance: 0.9, cka: [0.9, null] },
  ...{ parents: [0.8, 0.9], fused: 0.5, tuned: 0.9 + gain, bestParentTuned: 0.9, disagreement },
  ...more,
})

/** Outcomes by a known law: worth it with a probability that grows with disagreement. */
function pairsByLaw(count: number): PairResult[] {
  const rng = createRng('law')
  return Array.from({ length: count }, (_, i) => {
    const pair = pairOf(rng.next(), 0, { seed: i % 4, dataset: i % 2 === 0 ? 'mnist' : 'other' })
    const logit = 3 + 2 * featuresOf(pair)[1]
    return { ...pair, tuned: rng.next() < 1 / (1 + Math.exp(-logit)) ? 0.91 : 0.89 }
  })
}

describe('fitForecast', () => {
  it('should find the law that made the outcomes', () => {
    const { intercept, weights } = fitForecast(pairsByLaw(4000))
    // Every pair has the same weight distance, which says nothing.
    expect(intercept + weights[0]! * 0.9).toBeCloseTo(3, 0)
    expect(weights[1]).toBeGreaterThan(1.6)
    expect(weights[1]).toBeLessThan(2.4)
  })

  it('should stay finite where outcomes can be told apart without a mistake', () => {
    const { intercept, weights } = fitForecast([pairOf(0.1, -0.1), pairOf(0.9, 0.1)])
    expect([intercept, ...weights].every(Number.isFinite)).toBe(true)
    expect(weights[1]).toBeGreaterThan(0)
  })
})

describe('reportForecast', () => {
  it('should tell how far a forecast can be trusted', () => {
    const right = [pairOf(0.02, -0.1), pairOf(1, 0.1), pairOf(1, 0.2)]
    const { shipped, copies } = reportForecast([
      ...right,
      pairOf(0.9, -0.1),
      pairOf(0, -0.1, { kind: 'copy', weightDistance: 0 }),
      pairOf(0, 0.1, { kind: 'copy', weightDistance: 0 }),
    ])
    expect(shipped).toMatchObject({ pairs: 4, baseRate: 0.5, accuracy: 0.75, majority: 0.5 })
    expect(shipped.auc).toBe(1)
    expect(copies).toEqual({ pairs: 2, failed: 1, foreseen: 2 })
  })

  it('should judge each data set and each seed by a forecast of the others', () => {
    const pairs = pairsByLaw(200)
    const { otherDataset, otherSeed } = reportForecast(pairs)
    expect(otherDataset!.pairs).toBe(200)
    expect(otherSeed!.accuracy).toBeGreaterThan(otherSeed!.majority)
    // One data set in which everything is the other way round spoils what the other one teaches.
    const turned = pairs.map((pair) =>
      pair.dataset === 'mnist' ? pair : { ...pair, tuned: 1.8 - pair.tuned },
    )
    expect(reportForecast(turned).otherDataset!.accuracy).toBeLessThan(0.5)
    expect(reportForecast(pairs.slice(0, 1)).otherSeed).toBeNull()
  })
})

describe('forecastTable', () => {
  it('should show a row a kind and the reliability', () => {
    const pairs = [pairOf(1, 0.02), pairOf(0.5, -0.01, { kind: 'halves' })]
    const lines = forecastTable(pairs, reportForecast(pairs)).split('\n')
    expect(lines.find((line) => line.includes('skewed parts'))).toMatch(
      /1 .*0\.90 .*100\.0 % .*0\.90 .*\+2\.00 .*1 of 1/,
    )
    expect(lines.find((line) => line.includes('halves'))).toMatch(/-1\.00 .*0 of 1/)
    expect(lines.join()).toMatch(/shipped forecast: right for \d of 2 pairs/)
  })
})

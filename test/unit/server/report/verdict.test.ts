import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { controlsOf, verdict } from '../../../../server/report/verdict.ts'
import { roundReport } from '../../../support/run-report.ts'

const controls = [
  { label: 'ensemble', accuracy: 0.9 },
  { label: 'proxy set alone', accuracy: 0.85 },
]

describe('verdict', () => {
  it('should name the best control that was beaten', () => {
    expect(verdict({ label: 'tuned', accuracy: 0.92 }, controls)).toBe(
      'tuned 92.00 % beats every control; the best of them: ensemble 90.00 %',
    )
  })

  it('should name every control that was not', () => {
    expect(verdict({ label: 'fused', accuracy: 0.8 }, controls)).toBe(
      'fused 80.00 % does not beat ensemble 90.00 %, proxy set alone 85.00 %',
    )
    expect(verdict({ label: 'fused', accuracy: 0.87 }, controls)).toBe(
      'fused 87.00 % does not beat ensemble 90.00 %',
    )
  })

  it('should not call a tie a win, nor round one into being', () => {
    expect(verdict({ label: 'tuned', accuracy: 0.9 }, controls)).toContain('does not beat ensemble')
    expect(verdict({ label: 'tuned', accuracy: 0.900001 }, controls)).toContain('beats every')
  })

  it('should say so when nothing was measured', () => {
    expect(verdict({ label: 'fused', accuracy: 1 }, [])).toContain('no control was measured')
  })

  it('should claim a win only over the best control', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(share, fc.array(share, { minLength: 1 }), (own, others) => {
        const line = verdict(
          { label: 'fused', accuracy: own },
          others.map((accuracy) => ({ label: 'x', accuracy })),
        )
        expect(line.includes('beats every control')).toBe(own > Math.max(...others))
      }),
    )
  })
})

describe('controlsOf', () => {
  it('should count the best parent in, and leave out what was not measured', () => {
    const { controls: measured, ...round } = roundReport()
    expect(controlsOf({ ...round, controls: measured }).map(({ label }) => label)).toEqual([
      'best parent (bob)',
      'ensemble',
      'plain average',
      'plain average + fine-tuning',
      'proxy set alone',
      'best parent (bob) + fine-tuning',
    ])
    const some = { ...measured, average: null, averageTuned: null, bestParentTuned: null }
    expect(controlsOf({ ...round, controls: some }).map(({ label }) => label)).toEqual([
      'best parent (bob)',
      'ensemble',
      'proxy set alone',
    ])
  })
})

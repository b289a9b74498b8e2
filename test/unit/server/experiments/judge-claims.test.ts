import { describe, expect, it } from 'vitest'
import { judgeClaims } from '../../../../server/experiments/judge-claims.ts'
import type { Claim, Comparison } from '../../../../server/experiments/preset.ts'
import type { ExperimentCase, Measure } from '../../../../shared/protocol/experiment-report.ts'

const MEASURES: Measure[] = [
  { name: 'late', unit: 'share' },
  { name: 'rounds', unit: 'rounds' },
]

describe('judgeClaims', () => {
  it('should compare seed with seed, and hold by more than the standard error', () => {
    const steady = casesOf({ nt: [0.9, 0.8], ot: [0.88, 0.78] })
    const noisy = casesOf({ nt: [0.9, 0.8], ot: [0.8, 0.84] })
    expect(judge(ABOVE, steady)).toMatchObject({ outcome: 'reproduced' })
    // Its mean is above as well: 85 against 82.
    expect(judge(ABOVE, noisy)).toMatchObject({ outcome: 'not reproduced' })
  })

  it('should say the numbers', () => {
    const { findings } = judge({ ...ABOVE, by: -0.01 }, casesOf({ nt: [0.9], ot: [0.88] }))
    expect(findings).toEqual([
      {
        row: { dataset: 'mnist' },
        says: 'nt, late 90.00 above ot, late 88.00 less 1.00: difference 2.00',
        holds: true,
      },
    ])
  })

  it.each([
    [{ by: 0.03 }, 'not reproduced'],
    [{ by: 0.01 }, 'reproduced'],
    [{ relation: 'near', by: 0.03 }, 'reproduced'],
    [{ relation: 'near', by: 0.01 }, 'not reproduced'],
    [{ relation: 'below' }, 'not reproduced'],
  ] as const)('should keep to the bound: %o', (changes, outcome) => {
    const cases = casesOf({ nt: [0.9], ot: [0.88] })
    expect(judge({ ...ABOVE, ...changes }, cases).outcome).toBe(outcome)
  })

  it('should need every row, and look at the rows that are meant alone', () => {
    const cases = [
      ...casesOf({ nt: [0.9], ot: [0.8] }),
      ...casesOf({ nt: [0.7], ot: [0.8] }, { dataset: 'cifar10' }),
    ]
    expect(judge(ABOVE, cases)).toMatchObject({
      outcome: 'not reproduced',
      why: 'holds in 1 of 2 comparisons',
    })
    expect(judge({ ...ABOVE, where: { dataset: 'mnist' } }, cases).outcome).toBe('reproduced')
    expect(judge({ ...ABOVE, where: { dataset: 'svhn' } }, cases).outcome).toBe('not tested')
  })

  it('should not test what was not measured, and say what', () => {
    const claim = judge(ABOVE, casesOf({ nt: [0.9] }))
    expect(claim).toMatchObject({ outcome: 'not tested', why: 'ot, late was not measured' })
  })

  it('should take the best of several, and name it', () => {
    const best: Comparison = { ...ABOVE, left: { method: ['kf', 'nt'], measure: 'late' } }
    const { outcome, findings } = judge(best, casesOf({ kf: [0.7], nt: [0.9], ot: [0.8] }))
    expect(outcome).toBe('reproduced')
    expect(findings[0]!.says).toContain('nt, late (best of 2) 90.00')
  })

  it.each([
    // Three rounds against more than ten: at most a third, whatever the ten would have become.
    [[3], [10], ['ot'], 'reproduced'],
    // Four might still be a third of more than ten.
    [[4], [10], ['ot'], 'not tested'],
    [[4], [10], [], 'not reproduced'],
    // More than four are no third of ten.
    [[4], [10], ['nt'], 'not reproduced'],
    [[3], [10], ['nt'], 'not tested'],
    [[3], [10], ['nt', 'ot'], 'not tested'],
  ])(
    'should know what runs that ended early decide: %o of %o, early %o',
    (nt, ot, early, outcome) => {
      const third: Comparison = {
        left: { method: 'nt', measure: 'rounds' },
        relation: 'below',
        right: { method: 'ot', measure: 'rounds' },
        times: 3,
      }
      const cases = casesOf({ nt, ot }, { dataset: 'mnist' }, 'rounds').map((one) => ({
        ...one,
        results: one.results.map((result) =>
          early.includes(result.method) ? { ...result, atLeast: ['rounds'] } : result,
        ),
      }))
      expect(judge(third, cases).outcome).toBe(outcome)
    },
  )
})

const ABOVE: Comparison = {
  left: { method: 'nt', measure: 'late' },
  relation: 'above',
  right: { method: 'ot', measure: 'late' },
}

function judge(comparison: Comparison, cases: readonly ExperimentCase[]) {
  const claim: Claim = { id: 'c', source: 's', says: 'it works', comparisons: [comparison] }
  return judgeClaims([claim], cases, MEASURES)[0]!
}

/** @param values of each method, one a seed */
function casesOf(
  values: Record<string, readonly number[]>,
  row: ExperimentCase['row'] = { dataset: 'mnist' },
  measure = 'late',
): ExperimentCase[] {
  const seeds = Object.values(values)[0]!.length
  return Array.from({ length: seeds }, (_, at) => ({
    row,
    seed: at + 1,
    results: Object.entries(values).map(([method, ofMethod]) => ({
      method,
      values: { [measure]: ofMethod[at]! },
    })),
  }))
}

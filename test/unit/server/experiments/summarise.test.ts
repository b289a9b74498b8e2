import { describe, expect, it } from 'vitest'
import { statisticOf, summariseCases } from '../../../../server/experiments/summarise.ts'

describe('summariseCases', () => {
  it('should give means and sample deviations by row and method, and mark what is a bound', () => {
    const caseOf = (dataset: string, seed: number, late: number | null, rounds: number) => ({
      row: { dataset, parents: 2 },
      seed,
      results: [
        {
          method: 'nt',
          values: { late, rounds },
          ...(rounds === 9 && { atLeast: ['rounds'] }),
          ...(late === null && { note: 'refused' }),
        },
      ],
    })
    const cases = [caseOf('a', 1, 0.5, 3), caseOf('b', 1, null, 4), caseOf('a', 2, 0.7, 9)]
    expect(summariseCases(cases)).toEqual([
      {
        row: { dataset: 'a', parents: 2 },
        methods: [
          {
            method: 'nt',
            values: {
              late: { mean: 0.6, deviation: expect.closeTo(Math.sqrt(0.02), 12), seeds: 2 },
              rounds: {
                mean: 6,
                deviation: expect.closeTo(Math.sqrt(18), 12),
                seeds: 2,
                isAtLeast: true,
              },
            },
          },
        ],
      },
      {
        row: { dataset: 'b', parents: 2 },
        methods: [
          {
            method: 'nt',
            values: { rounds: { mean: 4, deviation: null, seeds: 1 } },
            note: 'refused',
          },
        ],
      },
    ])
  })

  it('should know no deviation of one value', () => {
    expect(statisticOf([0.5])).toEqual({ mean: 0.5, deviation: null, seeds: 1 })
  })
})

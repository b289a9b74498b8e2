import { describe, expect, it } from 'vitest'
import { forgetting, forgettingOf } from '../../../../../client/simulator/report/forgetting.ts'
import { roundReport, runReport } from '../../../../support/run-report.ts'

describe('forgetting', () => {
  it('should be the mean over classes of the best past accuracy less the present one', () => {
    const past = [
      [0.9, 0.2, null],
      [0.5, 0.6, null],
    ]
    // (0.9 - 0.7 + 0.6 - 0.8) / 2
    expect(forgetting(past, [0.7, 0.8, null])).toBeCloseTo(0)
    expect(forgetting(past, [0.4, 0.3, null])).toBeCloseTo(0.4)
    expect(forgetting(past, [1, 1, null])).toBeCloseTo(-0.25)
    expect(forgetting(past, [0.7, 0.8, null], (label) => label === 0)).toBeCloseTo(0.2)
  })

  it('should be nothing without a past, or without a class', () => {
    expect(forgetting([], [0.5])).toBeNull()
    expect(forgetting([[0.5]], [0.5], () => false)).toBeNull()
  })
})

describe('forgettingOf', () => {
  it('should hold clients against the models published before, by what they have', () => {
    const published = (classAccuracy: number[]) => ({ ...roundReport().published, classAccuracy })
    const ada = {
      client: 'ada' as never,
      accuracy: 0.5,
      numExamples: 5,
      classAccuracy: [1, 0.1],
      classCounts: [5, 0],
    }
    const run = runReport([
      roundReport({ published: published([0.8, 0.6]), parents: [ada] }),
      roundReport({ round: 2, published: published([0.7, 0.9]), parents: [ada] }),
    ])
    const [first, second] = forgettingOf(run)
    expect(first).toEqual({
      round: 1,
      published: null,
      clients: [{ client: 'ada', all: null, held: null, absent: null }],
    })
    expect(second!.published).toBeCloseTo((0.1 - 0.3) / 2)
    expect(second!.clients[0]!.all).toBeCloseTo((-0.2 + 0.5) / 2)
    expect(second!.clients[0]!.held).toBeCloseTo(-0.2)
    expect(second!.clients[0]!.absent).toBeCloseTo(0.5)
  })
})

import { describe, expect, it } from 'vitest'
import {
  controlResults,
  measureRun,
} from '../../../../../server/experiments/federation/measure-run.ts'
import { roundReport, runReport } from '../../../../support/run-report.ts'

describe('measureRun', () => {
  it('should count rounds and bytes up to the first published model that reaches the target', () => {
    const run = runReport([round(1, 0.7, 10e6), round(2, 0.8, 20e6), round(3, 0.75, 40e6)])
    expect(measureRun(run, ['best', 'rounds', 'megabytes'], 0.8)).toEqual({
      values: { 'best round': 0.8, 'rounds to the target': 2, 'MB to the target': 34 },
    })
  })

  it('should say that a run which ended before needs more', () => {
    const run = runReport([round(1, 0.7, 10e6), round(2, 0.8, 20e6)])
    expect(measureRun(run, ['rounds', 'megabytes'], 0.81)).toEqual({
      values: { 'rounds to the target': 2, 'MB to the target': 34 },
      atLeast: ['rounds to the target', 'MB to the target'],
    })
  })

  it('should take accuracies of the last round, the seconds of all, and no target where there is none', () => {
    const run = runReport([round(1, 0.7, 0), round(2, 0.8, 0)])
    const { values, atLeast } = measureRun(run, [
      ...(['fused', 'published', 'updates', 'roundSeconds', 'rounds'] as const),
    ])
    expect(values).toEqual({
      'right after fusion': 0.72,
      published: run.final.accuracy,
      'updates fused': 2 * run.rounds[0]!.uploads,
      'seconds a round': 16.75,
      'rounds to the target': null,
    })
    expect(atLeast).toBeUndefined()
  })
})

describe('controlResults', () => {
  it('should name every control of the last round', () => {
    expect(controlResults(runReport([roundReport()]), 'published')).toEqual([
      { method: 'ensemble', values: { published: 0.9 } },
      { method: 'plain average', values: { published: 0.4 } },
      { method: 'plain average + fine-tuning', values: { published: 0.8 } },
      { method: 'proxy set alone', values: { published: 0.85 } },
      { method: 'best parent + fine-tuning', values: { published: 0.88 } },
    ])
  })
})

/** @param up bytes; 2 MB go down */
const round = (number: number, accuracy: number, up: number) =>
  roundReport({
    round: number,
    published: { ...roundReport().published, accuracy },
    bytes: { up, down: 2e6 },
  })

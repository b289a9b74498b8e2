import { describe, expect, it } from 'vitest'
import { reportPage } from '../../../../../client/simulator/report/page.ts'
import { toStudy } from '../../../../../client/simulator/report/study.ts'
import type { RunReport } from '../../../../../shared/protocol/run-report.ts'
import { roundReport, runReport } from '../../../../support/run-report.ts'
import { studyRuns } from '../../../../support/study-runs.ts'

const SHAPE = { strategies: ['fedavg', 'nt'], seeds: [1, 2], clients: 3, rounds: 2, classes: 4 }
const HOSTILE = `"'><script>alert(1)</script><img src=x onerror=alert(2)>`

describe('reportPage', () => {
  it('should show means and deviations over the seeds', () => {
    const page = pageOf(finals([0.8, 0.9]))
    expect(page).toContain('85.00 ± 7.07 %')
    expect(pageOf(finals([0.8]))).toContain('80.00 %')
    expect(pageOf(finals([0.8]))).toContain('One seed says nothing about chance')
  })

  it('should say which controls are not beaten, by the differences seed by seed', () => {
    const page = pageOf(finals([0.8, 0.9]))
    // The controls of the run: ensemble 90 %, best parent + fine-tuning 88 %, proxy set alone 85 %.
    expect(page).toContain('It does not beat: ensemble (−5.00 ± 7.07 points)')
    expect(page).toContain('proxy set alone (0.00 ± 7.07 points)')
    expect(page).not.toMatch(/does not beat: [^<]*best parent \(/)
    expect(pageOf(finals([0.95, 0.97]))).toContain('It is ahead of every control')
  })

  it('should take names from strangers as text', () => {
    const runs = studyRuns(SHAPE).map((run) => ({
      ...run,
      strategy: run.strategy + HOSTILE,
      dataset: HOSTILE,
      model: HOSTILE,
      partition: HOSTILE,
      rounds: run.rounds.map((round) => ({
        ...round,
        parents: round.parents.map((parent) => ({ ...parent, client: HOSTILE as never })),
        diversity: { ...round.diversity!, parents: [HOSTILE, `${HOSTILE}2`] },
        ledgerSummary: {
          parents: [HOSTILE, 'b', 'c'],
          groups: [{ name: HOSTILE, neurons: 1, shares: [1, 0, 0] }],
        },
      })),
    }))
    const page = pageOf(runs, HOSTILE)
    expect(page.match(/<script|<img/g)).toBeNull()
    expect(page).toContain('&lt;script&gt;')
    // No attribute ends early: outside of quotes nothing begins with "on".
    expect(page.replace(/"[^"]*"/g, '""')).not.toMatch(/<[^<>]* on\w+=/)
  })

  it('should load nothing from elsewhere, and forbid it', () => {
    const page = pageOf(studyRuns(SHAPE))
    expect(page).not.toMatch(/\ssrc=|srcset|@import|url\(/)
    expect(page.match(/href="(?!#)[^"]*"/g)).toEqual(['href="https://arxiv.org/abs/2106.03097"'])
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`)
  })

  it('should give no two elements the same id', () => {
    const ids = [...pageOf(studyRuns(SHAPE)).matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)
    expect(ids.length).toBeGreaterThan(20)
    expect(ids.filter((id, i) => ids.indexOf(id) < i)).toEqual([])
  })

  it('should leave out what older reports do not say', () => {
    const page = pageOf([runReport([roundReport()])])
    expect(page).toContain('Beside the controls')
    for (const missing of ['Accuracy by class', 'Forgetting', 'Whose neurons survive'])
      expect(page).not.toContain(missing)
  })
})

// Helpers

function pageOf(runs: readonly RunReport[], command = 'graft simulate'): string {
  const report = { version: '0.1.0', command, madeAt: '2026-11-28T08:00:00.000Z', runs: [...runs] }
  return reportPage(report, toStudy(runs))
}

/** A run a seed whose only round publishes a model of this accuracy. */
function finals(accuracies: readonly number[]): RunReport[] {
  return accuracies.map((accuracy, seed) => {
    const published = { ...roundReport().published, accuracy }
    return { ...runReport([roundReport({ published })]), seed }
  })
}

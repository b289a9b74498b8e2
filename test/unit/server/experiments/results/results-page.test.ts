import { describe, expect, it } from 'vitest'
import { presetTable } from '../../../../../server/experiments/preset-table.ts'
import { resultsPage } from '../../../../../server/experiments/results/results-page.ts'
import type { ExperimentReport } from '../../../../../shared/protocol/experiment-report.ts'

const REPORT: ExperimentReport = {
  ...{ version: '0.1.0', experiment: 'toy', summary: 'a toy', isQuick: true },
  ...{ command: 'graft experiment toy --quick', engine: 'native', node: 'v20.19.0', cores: 2 },
  ...{ seeds: [1, 2], grid: {}, subsets: ['mnist: 100 images'], seconds: 90, cases: [] },
  measures: [
    { name: 'late', unit: 'share' },
    { name: 'MB to the target', unit: 'MB' },
  ],
  means: [
    {
      row: { dataset: 'mnist', parents: 2 },
      methods: [
        {
          method: 'nt',
          values: {
            late: { mean: 0.9123, deviation: 0.011, seeds: 2 },
            'MB to the target': { mean: 12.25, deviation: null, seeds: 1, isAtLeast: true },
          },
        },
        { method: 'hf|linear', values: {}, note: 'It takes two parents.' },
      ],
    },
  ],
  claims: [
    {
      ...{ id: 'c', source: 'NT, abstract', says: 'It works.', outcome: 'not reproduced' },
      why: 'holds in 0 of 1 comparisons',
      findings: [{ row: { dataset: 'mnist' }, says: 'nt 1 above ot 2', holds: false }],
    },
  ],
}
const MISSING = {
  name: 'other',
  claims: [{ id: 'd', source: 'NI, abstract', says: 'It is better.', comparisons: [] }],
}

describe('resultsPage', () => {
  const page = resultsPage([REPORT], [{ name: 'toy', claims: [] }, MISSING])

  it('should list every claim, those without a run as not tested', () => {
    expect(page).toContain('2 claims: 0 reproduced, 1 not reproduced, 1 not tested.')
    expect(page).toContain(
      '| It works. | NT, abstract | **not reproduced** | holds in 0 of 1 comparisons | `toy` |',
    )
    expect(page).toContain(
      '| It is better. | NI, abstract | not tested | there is no run of `other` yet | `other` |',
    )
  })

  it('should say command, seeds, engine and minutes of each run, and what it saw', () => {
    expect(page).toContain(
      '| `graft experiment toy --quick` | 1, 2 | native | 2 | 0.1.0 | v20.19.0 | 1.5 |',
    )
    expect(page).toContain('Images used: mnist: 100 images.')
  })

  it('should have a table a row, and cells that break none', () => {
    expect(page).toContain('|  | late, % | MB to the target |')
    expect(page).toContain('| nt | 91.23 ± 1.10 | > 12.3 |')
    expect(page).toContain('| hf\\|linear | - | - |')
    expect(page).toContain('It takes two parents.')
    expect(page).toContain('fails: mnist: nt 1 above ot 2')
  })
})

describe('resultsPage of an experiment that was run in parts', () => {
  const row = { dataset: 'cifar10', parents: 2 }
  const finding = { row, says: 'nt 3 above ot 2', holds: true }
  const other: ExperimentReport = {
    ...REPORT,
    ...{ command: 'graft experiment toy --quick --dataset cifar10', seeds: [1, 3] },
    means: [{ ...REPORT.means[0]!, row }],
    claims: [{ ...REPORT.claims[0]!, outcome: 'reproduced', findings: [finding] }],
  }
  const pageOf = (...reports: ExperimentReport[]) =>
    resultsPage(reports, [{ name: 'toy', claims: [] }])

  it('should judge each claim once, by all of them', () => {
    const page = pageOf(other, REPORT)
    expect(page).toContain('1 claims: 0 reproduced, 1 not reproduced, 0 not tested.')
    expect(page).toContain('| **not reproduced** | holds in 1 of 2 comparisons | `toy` |')
    expect(page.match(/## toy/g)).toHaveLength(1)
    expect(page).toContain('over seeds 1, 2, 3.')
    expect(page).toMatch(/cifar10, .* parents:\n[^]*mnist, .* parents:\n/)
    expect(page).toContain('| `graft experiment toy --quick --dataset cifar10` | 1, 3 |')
    expect(page).toContain('| `graft experiment toy --quick` | 1, 2 |')
  })

  it('should not put what was run in full beside what was quick', () => {
    expect(pageOf({ ...other, isQuick: false }, REPORT).match(/## toy/g)).toHaveLength(2)
  })

  it('should refuse a row that is in two of them', () => {
    expect(() => pageOf(REPORT, other, REPORT)).toThrow(/mnist.* of toy is in two reports/)
  })
})

describe('presetTable', () => {
  it('should show the same in a terminal', () => {
    const text = presetTable(REPORT)
    expect(text).toMatch(/nt +│ 91\.23 ± 1\.10 │ +> 12\.3/)
    expect(text).toContain('hf|linear: It takes two parents.')
    expect(text).toContain('not reproduced: It works. (NT, abstract; holds in 0 of 1 comparisons)')
  })
})

import { stripVTControlCharacters } from 'node:util'
import pc from 'picocolors'
import { describe, expect, it } from 'vitest'
import { roundTable } from '../../../../server/report/round-table.ts'
import type { LedgerReport } from '../../../../shared/protocol/ledger.ts'
import type { DiversityReport } from '../../../../shared/protocol/diversity-report.ts'
import { DIVERSITY, roundReport } from '../../../support/run-report.ts'

describe('roundTable', () => {
  it('should show every parent, every control, both candidates, the verdicts and the cost', () => {
    expect(`\n${roundTable(roundReport())}\n`).toMatchInlineSnapshot(`
      "
      ┌───┬─────────────────────────────────┬──────────┬────────┐
      │   │ round 1                         │ accuracy │   loss │
      ├───┼─────────────────────────────────┼──────────┼────────┤
      │   │ parent ada (500 examples)       │  61.00 % │ 1.2000 │
      │   │ parent bob (400 examples)       │  70.00 % │        │
      │   │ ensemble                        │  90.00 % │ 0.4000 │
      │   │ plain average                   │  40.00 % │ 2.0000 │
      │   │ plain average + fine-tuning     │  80.00 % │ 0.6000 │
      │   │ proxy set alone                 │  85.00 % │ 0.5000 │
      │   │ best parent (bob) + fine-tuning │  88.00 % │ 0.4500 │
      │   │ fused                           │  72.00 % │ 1.0000 │
      │ ● │ tuned (4 epochs)                │  92.00 % │ 0.3000 │
      └───┴─────────────────────────────────┴──────────┴────────┘
      fused 72.00 % does not beat ensemble 90.00 %, plain average + fine-tuning 80.00
        %, proxy set alone 85.00 %, best parent (bob) + fine-tuning 88.00 %
      tuned 92.00 % beats every control; the best of them: ensemble 90.00 %
      ● best on the held-out proxy examples
      2 updates of 3 clients; train 10.0 s, attribute 1.0 s, upload 0.5 s, fuse 0.3 s,
        tune 3.0 s, evaluate 2.0 s
      up 2.0 MB, down 2.0 MB; peak memory 300 MiB
      "
    `)
  })

  it('should say what the strategy says, and whose neurons make the model', () => {
    const neurons: LedgerReport['groups'][number]['neurons'] = [
      [
        [0, 1, 0.5, 3],
        [1, 0, 0.5, 2],
      ],
      [[0, 0, 1, null]],
    ]
    const ledger = { parents: ['ada', 'bob'], groups: [{ name: 'fc1', neurons }] }
    const fused = { ...roundReport().fused, reason: 'the candidate that agrees most' }
    const lines = roundTable(roundReport({ fused, ledger })).split('\n')
    const at = lines.indexOf('fused: the candidate that agrees most')
    expect(lines.slice(at - 1, at + 3)).toEqual([
      expect.stringMatching(/^tuned 92\.00 % beats/),
      'fused: the candidate that agrees most',
      '● best on the held-out proxy examples',
      'neurons: ada 75 %, bob 25 %',
    ])
  })

  it('should say how diverse the parents were', () => {
    const text = (diversity: DiversityReport) =>
      roundTable(roundReport({ diversity })).replaceAll(/\s+/g, ' ')
    expect(text(DIVERSITY)).toContain(
      'parents: disagree on 12.5 % of the proxy examples, weights 0.25 apart, too much alike for nt (38 % that',
    )
    const [pair] = DIVERSITY.pairs
    const other = { ...pair!, weightDistance: 0.9, disagreement: 0.5 }
    const wide = { ...pair!, weightDistance: null, disagreement: null, cka: [] }
    expect(text({ ...DIVERSITY, pairs: [pair!, other] })).toContain(
      'disagree on 12.5 to 50.0 % of the proxy examples, weights 0.25 to 0.90 apart',
    )
    expect(text({ ...DIVERSITY, pairs: [wide], forecast: null })).toContain(
      'parents: networks of different widths',
    )
    expect(roundTable(roundReport())).not.toContain('parents: ')
  })

  it('should say nothing of controls in a round that measures none', () => {
    const { controls, ...round } = roundReport()
    const none = Object.fromEntries(Object.keys(controls).map((name) => [name, null]))
    const unmeasured = roundReport({ ...round, parents: [], controls: none as typeof controls })
    expect(roundTable(unmeasured)).not.toContain('not measured')
    expect(roundTable(unmeasured)).toMatch(/tuned .*│/)
  })

  it('should mark the global model when the round kept it', () => {
    const published = {
      ...roundReport().published,
      candidate: 'kept' as const,
      isNew: false,
      reason: 'nothing beats it on the held-out proxy examples',
      accuracy: 0.95,
    }
    const lines = roundTable(roundReport({ published })).split('\n')
    expect(lines.filter((line) => line.includes('│ ●'))).toEqual([
      expect.stringMatching(/global model, kept +│ +95\.00 %/),
    ])
    expect(lines).toContain(
      '● the global model stays: nothing beats it on the held-out proxy examples',
    )
  })

  it('should say which controls were not measured and when tuning did not help', () => {
    const { controls, tuned } = roundReport()
    const text = roundTable(
      roundReport({
        controls: { ...controls, proxyAlone: null, bestParentTuned: null },
        tuned: { ...tuned, epochs: 3, isTuned: false },
      }),
    )
    expect(text).toMatch(/proxy set alone +│ not measured │/)
    expect(text).toMatch(/best parent \+ fine-tuning +│ not measured │/)
    expect(text).toContain('tuned (no epoch helped: as fused)')
  })

  it('should say the same in colour', () => {
    const coloured = roundTable(roundReport(), pc.createColors(true))
    expect(coloured).toContain('\u001b[32m')
    expect(stripVTControlCharacters(coloured)).toBe(roundTable(roundReport()))
  })
})

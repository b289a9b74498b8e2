import { describe, expect, it } from 'vitest'
import { diversityTable } from '../../../../server/offline/diversity-table.ts'
import type { DiversityReport } from '../../../../shared/protocol/diversity-report.ts'

const pair = (a: string, b: string, disagreement: number | null) => ({
  parents: [a, b] as [string, string],
  ...{ weightDistance: 0.912, disagreement, cka: disagreement === null ? [] : [0.87, null] },
})
const report = (
  pairs: DiversityReport['pairs'],
  forecast: DiversityReport['forecast'] = { probability: 0.815, isDiverseEnough: true },
): DiversityReport => ({ parents: [], levels: ['fc1', 'fc2'], pairs, forecast })

describe('diversityTable', () => {
  it('should show how far two parents are apart, level by level', () => {
    const line = diversityTable(report([pair('ada.safetensors', 'bob.safetensors', 0.25)]))
      .split('\n')
      .find((row) => row.includes('ada bob'))
    expect(line).toMatch(/0\.912 .*25\.0 % .*fc1 0\.87, fc2 -/)
  })

  it('should say whether they are diverse enough, and how sure that is', () => {
    const of = (forecast: DiversityReport['forecast']) =>
      diversityTable(report([pair('a', 'b', 0.25)], forecast)).replaceAll(/\s+/g, ' ')
    expect(of({ probability: 0.815, isDiverseEnough: true })).toMatch(
      /the parents are diverse enough for nt \(82 % that/,
    )
    expect(of({ probability: 0, isDiverseEnough: false })).toContain('too much alike for nt')
    expect(of(null)).toContain('Without --proxy')
  })

  it('should show the ten pairs that disagree least, and count the others', () => {
    const many = Array.from({ length: 28 }, (_, i) => pair(`p${28 - i}`, 'q', (28 - i) / 100))
    const shown = diversityTable(report(many))
    expect(shown).toContain('p10 q')
    expect(shown).not.toContain('p11 q')
    expect(shown.indexOf('p1 q')).toBeLessThan(shown.indexOf('p2 q'))
    expect(shown).toContain('and 18 pairs that disagree more')
  })

  it('should show what can be measured of other widths, and without a proxy set', () => {
    const other = { ...pair('a', 'b', null), weightDistance: null }
    expect(diversityTable(report([other], null))).toContain('other widths')
  })
})

import { describe, expect, it } from 'vitest'
import { fromStored, toStored } from '../../../../server/coordinator/stored-round.ts'
import { roundReport } from '../../../support/run-report.ts'

describe('toStored', () => {
  it.each([roundReport(), roundReport({ ledger: { parents: ['ada'], groups: [] } })])(
    'should keep the ledger apart from the report, if there is one',
    (report) => {
      const stored = toStored(report)
      expect(stored.ledger).toEqual(report.ledger ?? null)
      expect(stored.report).not.toHaveProperty('ledger')
      expect(fromStored(stored)).toEqual(report)
    },
  )
})

describe('fromStored', () => {
  it('should refuse what is no report', () => {
    expect(() => fromStored({ report: null, ledger: null })).toThrow()
    expect(() => fromStored({ report: roundReport(), ledger: { parents: 1 } })).toThrow()
  })
})

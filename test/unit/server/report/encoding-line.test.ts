import { describe, expect, it } from 'vitest'
import { encodingLine } from '../../../../server/report/encoding-line.ts'
import { roundTable } from '../../../../server/report/round-table.ts'
import { roundReport } from '../../../support/run-report.ts'

const COST = { name: 'int8', loss: 0.31, modelBytes: 1000, float32Bytes: 3960 } as const

describe('encodingLine', () => {
  it.each([
    [0.9198, '-0.02'],
    [0.9213, '+0.13'],
    [0.92, '0.00'],
    [0.91999, '0.00'],
  ])('should say of an accuracy of %d what it costs', (accuracy, points) => {
    expect(encodingLine({ ...COST, accuracy }, { accuracy: 0.92 })).toBe(
      `int8, as clients get it: ${points} points, 4.0 times fewer bytes`,
    )
  })

  it('should stand in the table of a round', () => {
    const { published } = roundReport()
    const encoding = { ...COST, accuracy: published.accuracy - 0.01 }
    expect(roundTable(roundReport({ encoding })).split('\n')).toContain(
      'int8, as clients get it: -1.00 points, 4.0 times fewer bytes',
    )
  })
})

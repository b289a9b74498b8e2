import { describe, expect, it } from 'vitest'
import { writeRunJson } from '../../../../server/report/run-json.ts'
import { fakeStream } from '../../../support/fake-stream.ts'
import { roundReport, runReport } from '../../../support/run-report.ts'

describe('writeRunJson', () => {
  it('should write the whole report', async () => {
    const stdout = fakeStream()
    const report = runReport([roundReport()])
    await writeRunJson(report, true, stdout)
    expect(JSON.parse(stdout.take())).toEqual(report)
  })

  it('should refuse a report that JSON would falsify, naming the place', async () => {
    const stdout = fakeStream()
    const report = runReport([{ ...roundReport(), fused: { accuracy: 0.9, loss: NaN } }])
    await expect(writeRunJson(report, true, stdout)).rejects.toThrow(
      /rounds\.0\.fused\.loss.*GRAFT_INTERNAL/,
    )
    expect(stdout.take()).toBe('')
  })
})

import { Ajv2020 } from 'ajv/dist/2020.js'
import { format } from 'prettier'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { FuseReport } from '../../../../shared/protocol/fuse-report.ts'
import { fuseReport } from '../../../support/fuse-report.ts'
import { DIVERSITY } from '../../../support/run-report.ts'

const SCHEMA = z.toJSONSchema(FuseReport)

describe('FuseReport', () => {
  // Writes the schema anew: npx vitest run --project unit test/unit/shared/protocol/fuse-report.test.ts -u
  it('should have its JSON schema beside it, up to date', async () => {
    const text = await format(JSON.stringify(SCHEMA), { parser: 'json', printWidth: 100 })
    await expect(text).toMatchFileSnapshot('../../../../shared/protocol/fuse-report.schema.json')
  })

  it.each([
    ['a whole report', {}],
    ['one that judged nothing', { test: null, ensemble: null, fused: null, tuned: { epochs: 1, isTuned: true } }], // prettier-ignore
    ['one of an ensemble', { fused: null, tuned: null, ledger: null, shares: null, out: null }],
    ['one with a diversity', { diversity: DIVERSITY }],
  ])('should accept %s, by zod and by the JSON schema', (_, given) => {
    const report = fuseReport(given)
    expect(FuseReport.parse(report)).toEqual(report)
    const isValid = new Ajv2020().compile(SCHEMA)
    expect(isValid(report), JSON.stringify(isValid.errors)).toBe(true)
  })

  it.each([
    ['an accuracy in percent', { fused: { accuracy: 60, loss: 1 } }],
    ['a share above 1', { shares: [1.5] }],
    ['a parent of nothing', { parents: [{ ...fuseReport().parents[0]!, numExamples: 0 }] }],
    ['a key that nobody reads', { surprise: 1 }],
  ])('should refuse %s', (_, wrong) => {
    expect(FuseReport.safeParse({ ...fuseReport(), ...wrong }).success).toBe(false)
  })
})

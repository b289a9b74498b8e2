import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { format } from 'prettier'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ExperimentReport } from '../../../../shared/protocol/experiment-report.ts'

const SCHEMA = z.toJSONSchema(ExperimentReport)
/** What tells a row from another is a word or a number. */
const isValid = new Ajv2020({ allowUnionTypes: true }).compile(SCHEMA)
/** Of experiments that were run. */
const RESULTS = resolve(import.meta.dirname, '../../../../results')
const FILES = readdirSync(RESULTS).filter((file) => file.endsWith('.json'))

describe('ExperimentReport', () => {
  // Writes the schema anew: npx vitest run --project unit test/unit/shared/protocol/experiment-report.test.ts -u
  it('should have its JSON schema beside it, up to date', async () => {
    const text = await format(JSON.stringify(SCHEMA), { parser: 'json', printWidth: 100 })
    await expect(text).toMatchFileSnapshot(
      '../../../../shared/protocol/experiment-report.schema.json',
    )
  })

  it.each(FILES)('should accept results/%s, by zod and by the JSON schema', (file) => {
    const report = reportIn(file)
    expect(ExperimentReport.parse(report)).toEqual(report)
    expect(isValid(report), JSON.stringify(isValid.errors)).toBe(true)
  })

  it.each([
    ['a measure of no unit', { measures: [{ name: 'late', unit: 'percent' }] }],
    ['a claim of another outcome', { claims: [{ ...claim(), outcome: 'likely' }] }],
    ['a mean of no seed', { means: [{ row: {}, methods: [method(0)] }] }],
    ['a case without a seed', { cases: [{ row: {}, results: [] }] }],
    ['a key that nobody reads', { surprise: 1 }],
  ])('should refuse %s, by zod and by the JSON schema', (_, wrong) => {
    const report = { ...reportIn(FILES[0]!), ...wrong }
    expect(ExperimentReport.safeParse(report).success).toBe(false)
    expect(isValid(report)).toBe(false)
  })
})

// Helpers

function reportIn(file: string): ExperimentReport {
  return JSON.parse(readFileSync(join(RESULTS, file), 'utf8')) as ExperimentReport
}

function claim() {
  return { id: 'c', source: 'NT, abstract', says: 'It works.', why: 'holds', findings: [] }
}

function method(seeds: number) {
  return { method: 'nt', values: { late: { mean: 0.9, deviation: null, seeds } } }
}

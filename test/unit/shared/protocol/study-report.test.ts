import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { format } from 'prettier'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { writeReport } from '../../../../client/simulator/report/write-report.ts'
import { RunReport } from '../../../../shared/protocol/run-report.ts'
import { StudyReport } from '../../../../shared/protocol/study-report.ts'
import { studyRuns } from '../../../support/study-runs.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'

/** Runs are not described again: the schema beside it says what they are. */
const RUN_SCHEMA = 'run-report.schema.json'
const SCHEMA = schemaOf()

describe('StudyReport', () => {
  // Writes the schema anew: npx vitest run --project unit test/unit/shared/protocol/study-report.test.ts -u
  it('should have its JSON schema beside it, up to date', async () => {
    const text = await format(JSON.stringify(SCHEMA), { parser: 'json', printWidth: 100 })
    await expect(text).toMatchFileSnapshot('../../../../shared/protocol/study-report.schema.json')
  })

  it('should accept what a report writes, by zod and by the JSON schema', async () => {
    const report = await writtenReport()
    expect(StudyReport.parse(report)).toEqual(report)
    const isValid = validator()
    expect(isValid(report), JSON.stringify(isValid.errors)).toBe(true)
  })

  it.each([
    ['no runs', { runs: [] }],
    ['a run of something else', { runs: [{ seed: 7 }] }],
    ['no time', { madeAt: 'today' }],
    ['a key that nobody reads', { surprise: 1 }],
  ])('should refuse %s, by zod and by the JSON schema', async (_, wrong) => {
    const report = { ...(await writtenReport()), ...wrong }
    expect(StudyReport.safeParse(report).success).toBe(false)
    expect(validator()(report)).toBe(false)
  })
})

// Helpers

function schemaOf(): object {
  const registry = z.registry<{ id: string; title?: string | undefined }>()
  registry.add(RunReport, { id: RUN_SCHEMA })
  registry.add(StudyReport, { id: 'study', title: StudyReport.meta()?.title })
  return z.toJSONSchema(registry).schemas['study']!
}

function validator() {
  const ajv = new Ajv2020({ formats: { sha256_hex: true, 'date-time': true } })
  return ajv.addSchema(z.toJSONSchema(RunReport), RUN_SCHEMA).compile(SCHEMA)
}

async function writtenReport(): Promise<object> {
  await using folder = await createTemporaryFolder()
  const runs = studyRuns({ strategies: ['fedavg', 'nt'], seeds: [1, 2], clients: 2, rounds: 1 })
  await writeReport(folder.path, { command: 'graft simulate', runs })
  return JSON.parse(await readFile(join(folder.path, 'results.json'), 'utf8')) as object
}

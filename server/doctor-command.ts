import { z } from 'zod'
import { defineCommand, numeric } from '../shared/command/command.ts'
import {
  BLOBS_OPTION,
  DATABASE_OPTION,
  HOME_OPTION,
  JSON_OPTION,
  S3_ENDPOINT_OPTION,
  SHARED_OPTION,
} from '../shared/command/common-options.ts'
import { ChildFailed } from '../shared/command/run-program.ts'
import { colorsOf } from '../shared/command/text-stream.ts'
import { writeJson } from '../shared/command/write-json.ts'
import { EXIT } from '../shared/errors.ts'
import { diagnose, type Finding, mend } from './doctor.ts'

export const doctorCommand = defineCommand({
  name: 'doctor',
  summary: 'check what this machine needs to run Graft, and say how to mend what is missing',
  examples: [
    'graft doctor',
    'DATABASE_URL=postgres://graft@db/graft graft doctor --json',
    'graft doctor --repair --home graft-data',
  ],
  options: {
    port: numeric(z.int().positive().max(65_535))
      .default(7433)
      .describe('port a coordinator would listen on')
      .meta({ value: 'N', env: 'GRAFT_PORT' }),
    home: HOME_OPTION.default('graft-data'),
    shared: SHARED_OPTION,
    blobs: BLOBS_OPTION,
    s3Endpoint: S3_ENDPOINT_OPTION,
    database: DATABASE_OPTION,
    repair: z
      .literal(true)
      .optional()
      .describe('check every blob, remove those that no run names; no coordinator may run'),
    json: JSON_OPTION,
  },
  async run({ port, home, shared, blobs, s3Endpoint, database, repair, json }) {
    const databaseUrl = database
    const bucketPlace = blobs === undefined ? null : { address: blobs, endpoint: s3Endpoint }
    const findings =
      repair === true
        ? await mend({ home, shared, bucketPlace, databaseUrl })
        : await diagnose({ port, home, bucketPlace, databaseUrl })
    if (json === undefined) process.stdout.write(describe(findings))
    else await writeJson({ version: 1, findings }, json)
    if (findings.some(({ status }) => status === 'problem')) throw new ChildFailed(EXIT.environment)
  },
})

function describe(findings: readonly Finding[]): string {
  const { green, yellow, red, dim } = colorsOf(process.stdout)
  const marks = { ok: green('ok     '), note: yellow('note   '), problem: red('problem') }
  return findings
    .map(({ status, subject, detail, remedy }) => {
      const line = `${marks[status]}  ${subject.padEnd(13)} ${detail}`
      return remedy === undefined
        ? `${line}\n`
        : `${line}\n${' '.repeat(23)}${dim('→')} ${remedy}\n`
    })
    .join('')
}

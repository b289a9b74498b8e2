import { Command } from 'commander'
import writeFileAtomic from 'write-file-atomic'
import { z } from 'zod'
import { defineCommand } from '../../shared/command/command.ts'
import { DATABASE_OPTION, HOME_OPTION } from '../../shared/command/common-options.ts'
import { toGraftError } from '../../shared/errors.ts'
import { openStore } from './open-store.ts'

/** PostgreSQL's largest integer: all there are. */
const ALL = 2 ** 31 - 1

const exportCommand = defineCommand({
  name: 'export',
  summary: 'write the audit log, one JSON object a line, oldest first',
  examples: [
    'graft audit export --json audit.ndjson',
    'graft audit export --since 2026-11-01 | jq .action',
  ],
  options: {
    since: z
      .union([z.iso.date(), z.iso.datetime({ offset: true })], {
        error: 'must be a date or a time, as in 2026-11-01 or 2026-11-01T12:00:00Z',
      })
      .transform((text) => new Date(text))
      .optional()
      .describe('leave out what is older')
      .meta({ value: 'TIME' }),
    json: z
      .union([z.string().min(1), z.literal(true)])
      .optional()
      .describe('write to FILE; to stdout when not given')
      .meta({ value: '[FILE]' }),
    home: HOME_OPTION.default('graft-data'),
    database: DATABASE_OPTION,
  },
  run: async ({ since, json, home, database }) => {
    const store = await openStore({ databaseUrl: database, folder: home })
    try {
      const entries = (await store.readAudit(ALL)).reverse()
      const wanted = since === undefined ? entries : entries.filter(({ at }) => at >= since)
      const text = wanted.map((entry) => `${JSON.stringify(entry)}\n`).join('')
      if (typeof json !== 'string') {
        process.stdout.write(text)
        return
      }
      // It names clients and addresses.
      await writeFileAtomic(json, text, { mode: 0o600 })
      process.stdout.write(`${wanted.length} entries are in ${json}.\n`)
    } catch (error) {
      throw toGraftError(error)
    } finally {
      await store.close()
    }
  },
})

/** `graft audit export`: what happened to clients and what operators did, for a log of one's own. */
export const auditCommand = new Command('audit')
  .summary('export the audit log')
  .description('Who was let in or refused, and what operators did.')
  .addCommand(exportCommand)

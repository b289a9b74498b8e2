import { Readable } from 'node:stream'
import { z } from 'zod'
import { AuditResource, pageOf } from '../../../shared/protocol/operator/resources.ts'
import type { AuditFilter, ListedAudit, OperatorLists } from '../../store/operator-store.ts'
import { type ApiApp, BINARY, of, sendBytes } from '../api-app.ts'
import type { ApiContext } from '../api-context.ts'
import { PAGE_QUERY, parseCursor, toPage } from '../cursor.ts'
import { identityOf } from '../guard.ts'

const tags: [string] = ['audit']
/** Entries that an export reads at a time. */
const CHUNK = 500

const FILTER = {
  actor: z
    .string()
    .max(200)
    .optional()
    .describe('e.g. `client:anna`, `operator:LABEL`, `coordinator`'),
  action: z.string().max(100).optional().describe('e.g. `update:quarantined`'),
  since: z.iso.datetime().optional().describe('not older'),
  until: z.iso.datetime().optional().describe('older'),
}

/** The audit log: list, export. */
export function auditRoutes(app: ApiApp, { store }: ApiContext): void {
  app.get(
    '/audit',
    of('viewer', {
      tags,
      summary: 'Entries of the audit log, newest first',
      querystring: z.strictObject({ ...PAGE_QUERY, ...FILTER }),
      response: { 200: pageOf(AuditResource) },
    }),
    async ({ query: { cursor, limit, ...filter } }) => {
      const place = parseCursor(z.string().regex(/^\d{1,18}$/), cursor)
      const before = place === undefined ? undefined : BigInt(place)
      const found = await store.lists.audit({ ...toFilter(filter), before, limit: limit + 1 })
      return toPage(found, limit, { placeOf: ({ id }) => String(id), toItem: toAuditResource })
    },
  )

  app.get(
    '/audit/export',
    of('admin', {
      tags,
      summary: 'The audit log as NDJSON, newest first',
      querystring: z.strictObject(FILTER),
      response: { 200: BINARY('application/x-ndjson', 'one entry a line') },
    }),
    async (request, reply) => {
      const { actor } = identityOf(request)
      await store.audit({ actor, action: 'audit:exported', details: request.query })
      reply.header('content-disposition', 'attachment; filename="audit.ndjson"')
      const lines = Readable.from(linesOf(store.lists, toFilter(request.query)))
      return sendBytes(reply.type('application/x-ndjson'), lines)
    },
  )
}

/** Read as fast as the other end takes it: an export of any length needs the memory of one chunk. */
async function* linesOf(lists: OperatorLists, filter: AuditFilter): AsyncGenerator<string> {
  let before: bigint | undefined
  for (;;) {
    const found = await lists.audit({ ...filter, before, limit: CHUNK })
    for (const entry of found) yield `${JSON.stringify(toAuditResource(entry))}\n`
    if (found.length < CHUNK) return
    before = found.at(-1)!.id
  }
}

function toFilter({
  since,
  until,
  ...rest
}: {
  readonly actor?: string | undefined
  readonly action?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
}): AuditFilter {
  return {
    ...rest,
    ...(since !== undefined && { since: new Date(since) }),
    ...(until !== undefined && { until: new Date(until) }),
  }
}

function toAuditResource({ id, at, actor, action, details }: ListedAudit): AuditResource {
  return { id: String(id), at: at.toISOString(), actor, action, details }
}

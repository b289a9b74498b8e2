import { z } from 'zod'
import { GraftError } from '../../../shared/errors.ts'
import { QuarantineAction } from '../../../shared/protocol/operator/actions.ts'
import { pageOf, QuarantinedResource } from '../../../shared/protocol/operator/resources.ts'
import { ClientId } from '../../../shared/ids.ts'
import { type ApiApp, of } from '../api-app.ts'
import type { ApiContext } from '../api-context.ts'
import { PAGE_QUERY, pageOfList } from '../cursor.ts'
import { identityOf } from '../guard.ts'
import type { Wishes } from '../wishes.ts'

const tags: [string] = ['quarantine']
const ENTRY = z.strictObject({ id: z.string().min(1).max(200) })

const Done = z.strictObject({ id: z.string(), action: z.enum(['release', 'remove']) })

/** Uploads that were set aside: list, let in, remove. */
export function quarantineRoutes(app: ApiApp, { operations }: ApiContext, wishes: Wishes): void {
  app.get(
    '/quarantine',
    of('viewer', {
      tags,
      summary: 'Uploads that were set aside, oldest first, each with its reason',
      querystring: z.strictObject({
        ...PAGE_QUERY,
        client: ClientId.optional().describe('only uploads of this client'),
      }),
      response: { 200: pageOf(QuarantinedResource) },
    }),
    async ({ query: { client, ...page } }) => {
      const all = await operations.quarantine()
      const wanted = all.filter((it) => client === undefined || it.client === client)
      return pageOfList(wanted, page, ({ at, id }) => `${at} ${id}`)
    },
  )

  app.post(
    '/quarantine/:id/actions',
    of('operator', {
      tags,
      summary: 'Let an upload count as accepted while its round collects, or remove it',
      params: ENTRY,
      body: QuarantineAction,
      response: { 200: Done },
    }),
    async (request) => {
      const { actor, tokenId } = identityOf(request)
      const { id } = request.params
      const { requestId, action } = request.body
      const wish = { requestId, of: ['quarantine', tokenId, id, action] }
      const { body } = await wishes.once(wish, async () => {
        const isThere = (await operations.quarantine()).some((it) => it.id === id)
        if (!isThere) throw new GraftError('GRAFT_NOT_FOUND', `${id} is not in quarantine.`)
        if (action === 'release') await operations.releaseUpload(id, actor)
        else await operations.removeUpload(id, actor)
        return { status: 200, body: { id, action } }
      })
      return body
    },
  )
}

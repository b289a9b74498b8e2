import { z } from 'zod'
import { GraftError } from '../../../shared/errors.ts'
import { ClientId } from '../../../shared/ids.ts'
import { ClientAction } from '../../../shared/protocol/operator/actions.ts'
import {
  ClientResource,
  ClientRoundResource,
  pageOf,
} from '../../../shared/protocol/operator/resources.ts'
import { RoundReport } from '../../../shared/protocol/run-report.ts'
import type { ClientRound } from '../../store/operator-store.ts'
import { type ApiApp, of } from '../api-app.ts'
import type { ApiContext } from '../api-context.ts'
import { createClientTally } from '../client-tally.ts'
import { createContributions } from '../contributions.ts'
import { PAGE_QUERY, pageOfList, parseCursor, toPage } from '../cursor.ts'
import { identityOf } from '../guard.ts'
import { readClients } from '../resources/client-resource.ts'
import type { Wishes } from '../wishes.ts'

const tags: [string] = ['clients']
const CLIENT = z.strictObject({ client: ClientId })
const PLACE = z.strictObject({ runNumber: z.int(), round: z.int() })
const Parent = RoundReport.shape.parents.element

/** Clients: list, one, what each did, shut out, let in again. */
export function clientRoutes(app: ApiApp, context: ApiContext, wishes: Wishes): void {
  const { operations, store } = context
  const sources = { tally: createClientTally(store), contributions: createContributions(store) }

  async function findClient(id: ClientId): Promise<ClientResource> {
    const client = (await readClients(context, sources)).find((it) => it.id === id)
    if (client === undefined) {
      throw new GraftError('GRAFT_NOT_FOUND', `No client has ever joined as ${id}.`)
    }
    return client
  }

  app.get(
    '/clients',
    of('viewer', {
      tags,
      summary: 'Clients that have ever joined, by name',
      querystring: z.strictObject({
        ...PAGE_QUERY,
        show: z
          .enum(['all', 'connected', 'away', 'banned'])
          .default('all')
          .describe('only clients of this kind'),
      }),
      response: { 200: pageOf(ClientResource) },
    }),
    async ({ query: { show, ...page } }) => {
      const all = await readClients(context, sources)
      return pageOfList(
        all.filter((client) => isOfKind(client, show)),
        page,
        ({ id }) => id,
      )
    },
  )

  app.get(
    '/clients/:client',
    of('viewer', {
      tags,
      summary: 'One client',
      params: CLIENT,
      response: { 200: ClientResource },
    }),
    async ({ params: { client } }) => findClient(client),
  )

  app.get(
    '/clients/:client/rounds',
    of('viewer', {
      tags,
      summary: 'Rounds that a client had a part in, newest first',
      params: CLIENT,
      querystring: z.strictObject(PAGE_QUERY),
      response: { 200: pageOf(ClientRoundResource) },
    }),
    async ({ params: { client }, query: { cursor, limit } }) => {
      await findClient(client)
      const before = parseCursor(PLACE, cursor)
      const found = await store.lists.clientRounds({ client, before, limit: limit + 1 })
      const placeOf = ({ runNumber, round }: ClientRound) => ({ runNumber, round })
      return toPage(found, limit, { placeOf, toItem: toClientRound })
    },
  )

  app.post(
    '/clients/:client/actions',
    of('operator', {
      tags,
      summary: 'Shut a client out, or let it in again',
      params: CLIENT,
      body: ClientAction,
      response: { 200: ClientResource },
    }),
    async (request) => {
      const { actor, tokenId } = identityOf(request)
      const { client } = request.params
      const { requestId, ...asked } = request.body
      const wish = { requestId, of: ['client', tokenId, client, asked] }
      const { body } = await wishes.once(wish, async () => {
        await findClient(client)
        if (asked.action === 'ban') await operations.ban(client, asked.reason, actor)
        else await operations.release(client, actor)
        return { status: 200, body: await findClient(client) }
      })
      return body
    },
  )
}

function isOfKind(
  { isConnected, ban }: ClientResource,
  kind: 'all' | 'connected' | 'away' | 'banned',
): boolean {
  if (kind === 'all') return true
  if (kind === 'banned') return ban !== null
  return isConnected === (kind === 'connected')
}

function toClientRound({ run, round, parent, evaluation }: ClientRound): ClientRoundResource {
  const { accuracy = null, loss = null, numExamples, classCounts = null } = Parent.parse(parent)
  return { run, round, accuracy, loss, numExamples, classCounts, evaluation }
}

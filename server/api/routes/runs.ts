import { z } from 'zod'
import { GraftError } from '../../../shared/errors.ts'
import { RunId } from '../../../shared/ids.ts'
import { RunAction, RunForm } from '../../../shared/protocol/operator/actions.ts'
import {
  pageOf,
  RUN_STATUSES,
  RunFormResource,
  RunResource,
} from '../../../shared/protocol/operator/resources.ts'
import type { Actor, Operations } from '../../coordinator/operations.ts'
import type { ListedRun, OperatorLists } from '../../store/operator-store.ts'
import { type ApiApp, of } from '../api-app.ts'
import type { ApiContext } from '../api-context.ts'
import { PAGE_QUERY, parseCursor, toPage } from '../cursor.ts'
import { identityOf } from '../guard.ts'
import { toRunResource } from '../resources/run-resource.ts'
import type { Wishes } from '../wishes.ts'

const tags: [string] = ['runs']
const RUN = z.strictObject({ run: RunId })

/** Runs: list, one, begin, steer. */
export function runRoutes(app: ApiApp, context: ApiContext, wishes: Wishes): void {
  const { operations, runForm, store } = context
  const { lists } = store
  const resourceOf = (run: ListedRun) => toRunResource(run, operations.federation())

  app.get(
    '/runs',
    of('viewer', {
      tags,
      summary: 'Runs, newest first',
      querystring: z.strictObject({
        ...PAGE_QUERY,
        status: z.enum(RUN_STATUSES).optional().describe('only runs with this status'),
      }),
      response: { 200: pageOf(RunResource) },
    }),
    async ({ query: { cursor, limit, status } }) => {
      const before = parseCursor(z.int(), cursor)
      const found = await lists.runs({ status, before, limit: limit + 1 })
      return toPage(found, limit, { placeOf: ({ number }) => number, toItem: resourceOf })
    },
  )

  app.get(
    '/run-form',
    of('viewer', {
      tags,
      summary: 'Options of a new run, with what they take and what they are when nobody says it',
      response: { 200: RunFormResource },
    }),
    async () => ({
      canCreate: operations.federation().staysForRuns,
      options: [...runForm.options],
    }),
  )

  app.post(
    '/runs',
    of('operator', {
      tags,
      summary: 'Begin a run, or queue it behind the one that goes on',
      description:
        'The options of `graft coordinator`, as `/run-form` names them; those that are left out are as they say there.',
      body: RunForm,
      response: { 201: RunResource },
    }),
    async (request, reply) => {
      const { actor, tokenId } = identityOf(request)
      const { options, requestId } = request.body
      const wish = { requestId, of: ['create run', tokenId, options] }
      const { status, body } = await wishes.once(wish, async () => {
        const id = await operations.createRun(runForm.toSettings(options), actor)
        return { status: 201, body: resourceOf(await findRun(lists, id)) }
      })
      return reply
        .code(status as 201)
        .header('location', `/api/v1/runs/${body.id}`)
        .send(body)
    },
  )

  app.get(
    '/runs/:run',
    of('viewer', {
      tags,
      summary: 'One run',
      params: RUN,
      response: { 200: RunResource },
    }),
    async ({ params: { run } }) => resourceOf(await findRun(lists, run)),
  )

  app.post(
    '/runs/:run/actions',
    of('operator', {
      tags,
      summary: 'Pause, resume, end the round now, stop, or retry',
      description: 'Answers with the run; `retry` with the new one.',
      params: RUN,
      body: RunAction,
      response: { 200: RunResource },
    }),
    async (request) => {
      const { actor, tokenId } = identityOf(request)
      const { run } = request.params
      const { action, requestId } = request.body
      const wish = { requestId, of: ['run', tokenId, run, action] }
      const { body } = await wishes.once(wish, async () => {
        await findRun(lists, run)
        const id = await perform(operations, { run, action, by: actor })
        return { status: 200, body: resourceOf(await findRun(lists, id)) }
      })
      return body
    },
  )
}

/** @throws GraftError GRAFT_NOT_FOUND */
export async function findRun(lists: Pick<OperatorLists, 'run'>, id: RunId): Promise<ListedRun> {
  const run = await lists.run(id)
  if (run === null) throw new GraftError('GRAFT_NOT_FOUND', `There is no run ${id}.`)
  return run
}

interface AskedOfRun {
  readonly run: RunId
  readonly action: RunAction['action']
  readonly by: Actor
}

/** @returns the run to answer with */
async function perform(operations: Operations, { run, action, by }: AskedOfRun): Promise<RunId> {
  switch (action) {
    case 'pause':
      await operations.pause(run, by)
      return run
    case 'resume':
      await operations.resume(run, by)
      return run
    case 'end-round':
      await operations.endRound(run, by)
      return run
    case 'stop':
      await operations.stop(run, by)
      return run
    case 'retry':
      return operations.retry(run, by)
  }
}

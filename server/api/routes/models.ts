import { z } from 'zod'
import { BlobId, RunId } from '../../../shared/ids.ts'
import { ModelAction, ModelChosen } from '../../../shared/protocol/operator/actions.ts'
import { GraftError } from '../../../shared/errors.ts'
import {
  ModelComparison,
  ModelResource,
  pageOf,
} from '../../../shared/protocol/operator/resources.ts'
import type { ListedModel } from '../../store/operator-store.ts'
import { type ApiApp, of } from '../api-app.ts'
import type { ApiContext } from '../api-context.ts'
import { compareModels } from '../compare-models.ts'
import { PAGE_QUERY, parseCursor, toPage } from '../cursor.ts'
import { identityOf } from '../guard.ts'
import { findModel, toModelResource } from '../resources/model-resource.ts'
import { Published } from '../resources/run-resource.ts'
import type { Wishes } from '../wishes.ts'

const tags: [string] = ['models']
const MODEL = z.strictObject({ sha256: BlobId })
const PLACE = z.strictObject({ runNumber: z.int(), round: z.int() })

/** Models that rounds ended with: list, one, two beside each other, what the next round starts from. */
export function modelRoutes(app: ApiApp, context: ApiContext, wishes: Wishes): void {
  const { blobs, operations, store } = context

  app.get(
    '/models',
    of('viewer', {
      tags,
      summary: 'Models, newest first; one that a round kept is there once for each round',
      querystring: z.strictObject({
        ...PAGE_QUERY,
        run: RunId.optional().describe('only models of this run'),
      }),
      response: { 200: pageOf(ModelResource) },
    }),
    async ({ query: { cursor, limit, run } }) => {
      const before = parseCursor(PLACE, cursor)
      const found = await store.lists.models({ run, before, limit: limit + 1 })
      const placeOf = ({ runNumber, round }: ListedModel) => ({ runNumber, round })
      const { items, next } = toPage(found, limit, { placeOf, toItem: (it) => it })
      return { items: await Promise.all(items.map((it) => toModelResource(context, it))), next }
    },
  )

  app.get(
    '/models/compare',
    of('viewer', {
      tags,
      summary: 'Two models beside each other',
      querystring: z.strictObject({ a: BlobId, b: BlobId }),
      response: { 200: ModelComparison },
    }),
    async ({ query }) => {
      const [first, second] = [await findModel(context, query.a), await findModel(context, query.b)]
      const [a, b] = [Published.parse(first.published), Published.parse(second.published)]
      const [bytes, others] = [await blobs.get(query.a), await blobs.get(query.b)]
      return {
        a: await toModelResource(context, first),
        b: await toModelResource(context, second),
        accuracyGain: b.accuracy - a.accuracy,
        lossGain: a.loss - b.loss,
        classGains: classGains(a.classAccuracy, b.classAccuracy),
        ...compareModels(bytes, others),
      }
    },
  )

  app.get(
    '/models/:sha256',
    of('viewer', {
      tags,
      summary: 'One model, of the newest round that ended with it',
      params: MODEL,
      response: { 200: ModelResource },
    }),
    async ({ params }) => toModelResource(context, await findModel(context, params.sha256)),
  )

  app.post(
    '/models/:sha256/actions',
    of('operator', {
      tags,
      summary: 'Let the next round of its run start from this model',
      description: '`publish` and `roll-back` do the same; the audit log keeps which was meant.',
      params: MODEL,
      body: ModelAction,
      response: { 200: ModelChosen },
    }),
    async (request) => {
      const { actor, tokenId } = identityOf(request)
      const { sha256 } = request.params
      const { requestId, action, run } = request.body
      const wish = { requestId, of: ['model', tokenId, sha256, action, run] }
      const { body } = await wishes.once(wish, async () => {
        const ofRun = (await store.lists.modelsOf(sha256)).some((model) => model.run === run)
        if (!ofRun) {
          throw new GraftError('GRAFT_NOT_FOUND', `No round of run ${run} ended with ${sha256}.`)
        }
        await operations.chooseModel(run, sha256, actor)
        return { status: 200, body: { run, sha256 } }
      })
      return body
    },
  )
}

type ClassAccuracy = readonly (number | null)[] | undefined

function classGains(a: ClassAccuracy, b: ClassAccuracy): (number | null)[] | null {
  if (a === undefined || b === undefined || a.length !== b.length) return null
  return b.map((ofB, i) => {
    const ofA = a[i] ?? null
    return ofA === null || ofB === null ? null : ofB - ofA
  })
}

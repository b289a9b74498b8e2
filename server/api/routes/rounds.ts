import { z } from 'zod'
import { type ErrorCode, GraftError } from '../../../shared/errors.ts'
import { RoundNumber, RunId } from '../../../shared/ids.ts'
import { LedgerReport } from '../../../shared/protocol/ledger.ts'
import type { LiveEvent } from '../../../shared/protocol/operator/live.ts'
import {
  EventPage,
  LedgerResource,
  pageOf,
  RoundResource,
  RoundSummary,
} from '../../../shared/protocol/operator/resources.ts'
import { RoundReport } from '../../../shared/protocol/run-report.ts'
import { parseJournal } from '../../coordinator/journal.ts'
import { rulesOf } from '../../coordinator/round-rules.ts'
import { startRound, step } from '../../coordinator/round-state.ts'
import { type ApiApp, of } from '../api-app.ts'
import type { ApiContext } from '../api-context.ts'
import { PAGE_QUERY, parseCursor, toPage } from '../cursor.ts'
import { toFailureResource } from '../resources/failure-resource.ts'
import { toRoundSummary } from '../resources/round-summary.ts'
import { findRun } from './runs.ts'

const tags: [string] = ['rounds']
const RUN = z.strictObject({ run: RunId })
const ROUND = z.strictObject({ run: RunId, round: z.coerce.number().pipe(RoundNumber) })
const FIRST_EVENT = '0.0'

/** Rounds of a run, their ledgers, and the events that made them. */
export function roundRoutes(app: ApiApp, context: ApiContext): void {
  const { operations, store } = context
  const { lists } = store

  app.get(
    '/runs/:run/rounds',
    of('viewer', {
      tags,
      summary: 'Rounds that are over, oldest first: the points of the curves',
      params: RUN,
      querystring: z.strictObject(PAGE_QUERY),
      response: { 200: pageOf(RoundSummary) },
    }),
    async ({ params: { run }, query: { cursor, limit } }) => {
      await findRun(lists, run)
      const after = parseCursor(z.int(), cursor) ?? 0
      const found = (await lists.rounds({ run, after, limit: limit + 1 })).map(toRoundSummary)
      return toPage(found, limit, { placeOf: ({ round }) => round, toItem: (it) => it })
    },
  )

  app.get(
    '/runs/:run/rounds/:round',
    of('viewer', {
      tags,
      summary: 'One round: its report when it is over, its lanes while it goes on',
      params: ROUND,
      response: { 200: RoundResource },
    }),
    async ({ params: { run, round } }) => {
      const nothing = { run, round, report: null, live: null, lanes: [], failure: null }
      const report = await lists.report(run, round)
      if (report !== null) {
        return { ...nothing, report: RoundReport.omit({ ledger: true }).parse(report) }
      }
      const { round: live } = operations.federation()
      if (live?.run === run && live.round === round) {
        return { ...nothing, live, lanes: operations.lanes(), failure: toFailure(live.failure) }
      }
      return { ...nothing, failure: toFailure(await failureOf(context, run, round)) }
    },
  )

  app.get(
    '/runs/:run/rounds/:round/ledger',
    of('viewer', {
      tags,
      summary: 'Whose neurons make the model of a round',
      params: ROUND,
      response: { 200: LedgerResource },
    }),
    async ({ params: { run, round } }) => {
      if ((await lists.report(run, round)) === null) throw noRound(run, round)
      const ledger = await lists.ledger(run, round)
      return { run, round, ledger: ledger === null ? null : LedgerReport.parse(ledger) }
    },
  )

  app.get(
    '/runs/:run/events',
    of('viewer', {
      tags,
      summary: 'Events of a run, oldest first, as the live feed tells them',
      params: RUN,
      querystring: z.strictObject({
        ...PAGE_QUERY,
        after: z.string().max(40).optional().describe('id of the last event that is known'),
      }),
      response: { 200: EventPage },
    }),
    async ({ params: { run }, query: { cursor, after = FIRST_EVENT, limit } }) => {
      await findRun(lists, run)
      const place = parseCursor(z.string(), cursor) ?? after
      const found: LiveEvent[] = await operations.eventsAfter(place, limit + 1, run)
      return toPage(found, limit, { placeOf: ({ id }) => id, toItem: (it) => it })
    },
  )
}

/**
 * Why a round that is neither stored nor going on has failed; null where it was given up before that.
 * @throws GraftError GRAFT_NOT_FOUND when it never began
 */
async function failureOf({ store }: ApiContext, run: RunId, round: RoundNumber) {
  const { settings } = await findRun(store.lists, run)
  const past = parseJournal(await store.readJournal(run)).filter((it) => it.event.round === round)
  if (past.length === 0) throw noRound(run, round)
  const rules = rulesOf(settings)
  const state = past.reduce(
    (before, { event }) => step(rules, before, event).state,
    startRound(round),
  )
  return state.phase === 'failed' ? state.code : null
}

const toFailure = (code: ErrorCode | null) =>
  code === null ? null : toFailureResource(code, 'The round ended without a model.')

function noRound(run: RunId, round: RoundNumber): GraftError {
  return new GraftError('GRAFT_NOT_FOUND', `Run ${run} has no round ${round} yet.`)
}

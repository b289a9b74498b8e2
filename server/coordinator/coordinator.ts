import { isDeepStrictEqual } from 'node:util'
import { GraftError } from '../../shared/errors.ts'
import { type BlobId, RoundNumber } from '../../shared/ids.ts'
import type { LedgerReport } from '../../shared/protocol/ledger.ts'
import type { BlobRef } from '../../shared/protocol/messages.ts'
import type { RoundReport } from '../../shared/protocol/run-report.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { isValid } from '../store/join-token.ts'
import type { RunRecord, Store } from '../store/store.ts'
import { createClientHandlers } from './client-handlers.ts'
import { sayFarewell } from './farewell.ts'
import { endsRun } from './ends-run.ts'
import { type PastEvent, parseJournal } from './journal.ts'
import { reportRound, withRecord } from './report-round.ts'
import { createRoundRecord } from './round-record.ts'
import { rulesOf } from './round-rules.ts'
import { isOver, type RoundPhase, type RoundState, startRound } from './round-state.ts'
import { replay, runRound } from './run-round.ts'
import { createSession, type Federation, type Session } from './session.ts'
import { fromStored, toStored } from './stored-round.ts'
import { blobsOf } from './training-requests.ts'
import type { RoundPast } from './round-past.ts'

/** Seconds that a round waits for the next of its clients to evaluate the published model. */
const EVALUATION_SECONDS = 60

/** Seconds that a finished run waits for its clients that are away, to tell them. */
const FAREWELL_SECONDS = 10

/**
 * Runs the rounds of a run, or what a stopped coordinator left of them, and returns their reports.
 *
 * @throws GraftError GRAFT_RUN_FAILED when no round published a model; what a stage failed with; or the
 *   reason of `signal`
 */
export async function runFederation(federation: Federation): Promise<RoundReport[]> {
  const { settings, store, workbench, board, signal } = federation
  const run = await openRun(store, settings)
  board.runBegan(run)
  const past = parseJournal(await store.readJournal(run.id))
  const models = await store.listModels(run.id)
  const reports: RoundReport[] = []
  let globalModel = await workbench.putInitialModel()
  board.globalModel(globalModel)
  let state: BlobId | null = null

  const session = createSession(run)
  for (const { event } of past) if (event.type === 'client-ready') session.members.add(event.client)
  await offer(federation, session, globalModel)
  if (settings.rehearse)
    session.proxy = await offer(federation, session, await workbench.putProxySet())
  const gateway = await federation.listen(run.id, createClientHandlers(federation, session))
  try {
    for (let number = 1; number <= settings.rounds; number++) {
      const round = RoundNumber.parse(number)
      const events = past.filter(({ event }) => event.round === round)
      const replayed = replay(rulesOf(settings), startRound(round), events)
      // A round may have failed behind its model, as when the journal could not be written.
      const stored =
        replayed.phase === 'published' ? models.find((model) => model.round === round) : undefined
      const ended: EndedRound | undefined = isOver(replayed)
        ? stored && endedBefore(federation, fromStored(stored), stateAfter(replayed))
        : await conductRound(federation, session, gateway, {
            round,
            globalModel,
            state,
            ledger: reports.at(-1)?.ledger,
            events,
          })
      if (ended === undefined) continue // failed: the next one starts from the same model
      const { report } = ended
      state = ended.state
      // Also for a round of an earlier process, which may have ended before it came to this.
      await federation.onRound(report, report.published.modelSha256)
      reports.push(report)
      globalModel = report.published.modelSha256
      board.globalModel(globalModel)
      await offer(federation, session, globalModel)
      if (endsRun(settings, { round, accuracy: report.published.accuracy })) break
    }
    session.begin()
    const message = { run: run.id, rounds: reports.length }
    await sayFarewell(session, gateway, message, { seconds: FAREWELL_SECONDS, signal })
    // Behind the farewell: a coordinator that was killed during it says it again, and begins no other run.
    await store.setRunStatus(run.id, reports.length > 0 ? 'finished' : 'failed')
  } finally {
    session.round?.close()
    board.runEnded()
    await gateway.close()
  }
  if (reports.length === 0) {
    throw new GraftError('GRAFT_RUN_FAILED', `None of ${settings.rounds} rounds published a model.`)
  }
  return reports
}

/** What a round begins with, and what is known of it. */
interface ConductedPast extends RoundPast {
  /** Of the global model. */
  readonly ledger: LedgerReport | undefined
  /** What an earlier process journalled. */
  readonly events: PastEvent[]
}

/** A round that has published a model, a new one or the one before. */
interface EndedRound {
  readonly report: RoundReport
  /** What the strategy remembers with the model. */
  readonly state: BlobId | null
}

/** A round of an earlier process. */
function endedBefore({ board }: Federation, report: RoundReport, state: BlobId | null): EndedRound {
  board.roundEnded(report.seconds)
  return { report, state }
}

/** What the strategy remembers after a round that is over. */
function stateAfter(last: RoundState): BlobId | null {
  return (last.phase === 'published' && last.publication.state) || null
}

/**
 * One round from invitation to evaluation by its clients.
 * @returns undefined when too few clients sent an update
 * @throws GraftError what a stage failed with; it is in the journal, and the next start skips this round
 */
async function conductRound(
  federation: Federation,
  session: Session,
  gateway: Gateway,
  past: ConductedPast,
): Promise<EndedRound | undefined> {
  const { settings, store, workbench, display, board, signal } = federation
  await dismissRevoked(store, session, gateway)
  const { run, record } = Object.assign(session, { record: createRoundRecord() })
  const { round, globalModel } = past
  let report: RoundReport | undefined
  let failure: GraftError | undefined

  const requests = await workbench.trainingRequests(past)
  const tell = (phase: RoundPhase) => (detail: string) => display.phase(round, phase, detail)

  const beganAt = past.events[0]?.at ?? new Date()
  board.roundBegan(replay(rulesOf(settings), startRound(round), past.events), beganAt)
  const conducted = runRound(
    {
      rules: rulesOf(settings),
      deadlineSeconds: settings.deadlineSeconds,
      async journal(event, next) {
        board.appended(run, await store.appendEvent(run.id, event), event, next)
      },
      work: {
        fuse: (updates) => workbench.fuse(past, updates, tell('fusing')),
        tune: (updates, fused) => workbench.tune(round, updates, fused, tell('tuning')),
        async evaluate(stage) {
          const judged = await workbench.evaluate(stage, past, tell('evaluating'))
          const { blob, isNew } = judged.publication
          const ledger = isNew ? await workbench.ledgerOf(stage.fused) : past.ledger
          report = reportRound({ ...stage, round }, judged, ledger)
          await store.saveModel({ run: run.id, round, blob, ...toStored(report) })
          await offer(federation, session, blob)
          return judged.publication
        },
      },
      voice: {
        invite(client, deadlineSeconds) {
          session.members.add(client)
          const model = offered(session, globalModel)
          const proxy = session.proxy && { proxy: session.proxy }
          const training = requests(client)
          for (const ref of training ? blobsOf(training) : []) session.offered.set(ref.id, ref)
          gateway.invite(client, {
            ...{ run: run.id, round, model, ...proxy, ...(training && { training }) },
            deadlineSeconds,
          })
          board.invited(client)
        },
        published({ blob, isNew }) {
          gateway.published({ run: run.id, round, model: offered(session, blob), isNew })
        },
        failed(code) {
          gateway.failed({ run: run.id, round, code })
        },
      },
      onStep(state) {
        display.phase(round, state.phase)
        board.stepped(state)
      },
      onDeadline: board.deadline,
      onWorkFailed: (error) => (failure = error),
    },
    startRound(round),
    past.events,
  )
  session.round = conducted
  session.begin()
  for (const client of session.ready) {
    await conducted.dispatch({ type: 'client-ready', round, client })
  }
  const last = await unlessAborted(conducted.over, signal)
  if (failure !== undefined) throw failure
  if (last.phase !== 'published' || report === undefined) {
    display.message(`Round ${round} ended without a model: too few updates before the deadline.`)
    board.roundEnded(undefined)
    return undefined
  }
  const { cohort, publication } = last
  const connected = () => cohort.filter((client) => session.ready.has(client))
  await record.evaluated(connected, EVALUATION_SECONDS, signal)
  report = withRecord(report, record)
  await store.saveModel({ run: run.id, round, blob: publication.blob, ...toStored(report) })
  board.roundEnded(report.seconds)
  return { report, state: stateAfter(last) }
}

/** Ends the connection of each client whose token was revoked, or has expired, since it joined. */
async function dismissRevoked(store: Store, session: Session, gateway: Gateway): Promise<void> {
  const [clients, tokens] = [await store.listClients(), await store.listTokens()]
  for (const client of session.ready) {
    const tokenId = clients.find(({ id }) => id === client)?.tokenId
    if (tokens.some((token) => token.id === tokenId && isValid(token))) continue
    const problem = `The token of ${client} is not valid any more.`
    await store.audit({
      actor: `client:${client}`,
      action: 'client:dismissed',
      details: { problem },
    })
    gateway.disconnect(client, new GraftError('GRAFT_TOKEN_INVALID', problem))
    session.ready.delete(client)
    session.members.delete(client)
  }
}

/** Goes on with the run that was left unfinished under the same settings, else begins one. */
async function openRun(store: Store, settings: RunSettings): Promise<RunRecord> {
  const unfinished = await store.unfinishedRun()
  if (unfinished === null) return store.createRun(settings)
  if (isDeepStrictEqual(unfinished.settings, settings)) return unfinished
  const differing = Object.entries(settings)
    .filter(([key, value]) => {
      return !isDeepStrictEqual(unfinished.settings[key as keyof RunSettings], value)
    })
    .map(([key]) => key)
  throw new GraftError(
    'GRAFT_OPTION_INVALID',
    `An unfinished run is stored here with another ${differing.join(', ')}: ` +
      'give the same options to go on with it, or another --home for a new run.',
  )
}

async function offer({ blobs }: Federation, session: Session, id: BlobId): Promise<BlobRef> {
  const ref = { id, sizeBytes: await blobs.sizeOf(id) }
  session.offered.set(id, ref)
  return ref
}

function offered(session: Session, id: BlobId): BlobRef {
  const ref = session.offered.get(id)
  if (ref === undefined) throw new TypeError(`blob ${id} was never offered`)
  return ref
}

/** What `work` gives, or the reason of `signal` as soon as that is aborted; leaves no listener behind. */
async function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  let fail: () => void = () => undefined
  const aborted = new Promise<never>((_, reject) => {
    fail = () => reject(signal.reason as Error)
  })
  signal.addEventListener('abort', fail, { once: true })
  try {
    signal.throwIfAborted()
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', fail)
  }
}

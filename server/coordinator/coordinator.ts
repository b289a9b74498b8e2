import { isDeepStrictEqual } from 'node:util'
import { GraftError } from '../../shared/errors.ts'
import { type BlobId, RoundNumber, type RunId } from '../../shared/ids.ts'
import { LedgerReport } from '../../shared/protocol/ledger.ts'
import type { BlobRef } from '../../shared/protocol/messages.ts'
import type { RoundReport } from '../../shared/protocol/run-report.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { isValid } from '../store/join-token.ts'
import type { RunRecord, Store } from '../store/store.ts'
import { createClientHandlers } from './client-handlers.ts'
import { banned, dismiss, tokenInvalid } from './dismiss.ts'
import { sayFarewell } from './farewell.ts'
import { endsRun } from './ends-run.ts'
import { type PastEvent, parseJournal } from './journal.ts'
import { reportRound, withRecord } from './report-round.ts'
import { openRetention } from './retention.ts'
import { createRoundRecord } from './round-record.ts'
import { rulesOf } from './round-rules.ts'
import { isOver, type RoundPhase, type RoundState, startRound } from './round-state.ts'
import { replay, runRound } from './run-round.ts'
import {
  createSession,
  type Federation,
  type Helm,
  type ModelPast,
  type Session,
} from './session.ts'
import { setAside } from './set-aside.ts'
import { fromStored, toStored } from './stored-round.ts'
import { blobsOf } from './training-requests.ts'
import type { RoundPast } from './round-past.ts'
import { withoutModel } from './without-model.ts'

/** Seconds that a round waits for the next of its clients to evaluate the published model. */
const EVALUATION_SECONDS = 60

/** Seconds that a finished run waits for its clients that are away, to tell them. */
const FAREWELL_SECONDS = 10

/**
 * Runs the rounds of a run, or what a stopped coordinator left of them.
 *
 * @returns how many published a model; their reports went to `onRound`
 * @throws GraftError GRAFT_RUN_FAILED when no round published a model and no operator stopped the run; what a stage
 *   failed with; or the reason of `signal`
 */
export async function runFederation(federation: Federation): Promise<number> {
  const { settings, store, workbench, board, helm, signal, stop } = federation
  const run = federation.run ?? (await openRun(store, settings))
  board.runBegan(run)
  const session = createSession(run, stop)
  const past = await recall(federation, session)
  const retention = await openRetention({
    ...{ store, run: run.id, blobs: federation.blobs, past: [...past.values()].flat() },
    keepUpdates: federation.keepUpdates ?? Infinity,
  })
  let rounds = 0
  let failure: GraftError | null = null
  let globalModel = await workbench.putInitialModel()
  adopt(federation, session, globalModel, { state: null, publishedIn: null })
  if (settings.rehearse)
    session.proxy = await offer(federation, session, await workbench.putProxySet())
  const gateway = await federation.listen(run.id, createClientHandlers(federation, session))
  const tell = (seconds: number) => {
    const message = { run: run.id, rounds }
    return sayFarewell(session, gateway, message, { seconds, signal })
  }
  try {
    for (let number = 1; number <= settings.rounds; number++) {
      stop.signal.throwIfAborted()
      const round = RoundNumber.parse(number)
      const events = past.get(round) ?? []
      past.delete(round)
      const replayed = replay(rulesOf(settings), startRound(round), events)
      if (!isOver(replayed)) {
        await offerModel(federation, session, globalModel)
        await begin(federation, session, events)
      }
      globalModel = await startOf(session, helm, { round, globalModel })
      const ended = isOver(replayed)
        ? await endedBefore(federation, run.id, replayed)
        : await conductRound(federation, session, gateway, {
            round,
            globalModel,
            ...session.models.get(globalModel)!,
            ...{ events, onStep: retention.stepped },
          })
      await retention.ended(round)
      if (ended === undefined) continue // failed: the next one starts from the same model
      const { report, state } = ended
      // Also for a round of an earlier process, which may have ended before it came to this.
      await federation.onRound(report, report.published.modelSha256)
      rounds++
      globalModel = report.published.modelSha256
      adopt(federation, session, globalModel, { state, publishedIn: round })
      if (endsRun(settings, { round, accuracy: report.published.accuracy })) break
    }
    stop.signal.throwIfAborted()
    await offerModel(federation, session, globalModel)
    helm.leave()
    session.begin()
    await tell(FAREWELL_SECONDS)
    // Behind the farewell: a coordinator that was killed during it says it again, and begins no other run.
    if (rounds > 0) await store.setRunStatus(run.id, 'finished')
    else {
      failure = nothingPublished(settings)
      await store.failRun(run.id, failure)
    }
  } catch (error) {
    if (!stop.signal.aborted || error !== stop.signal.reason) throw error
    session.begin()
    // An operator has stopped it, and its status says so already. What was at work lets go of the model first.
    session.round?.close()
    await session.round?.idle()
    await tell(0)
    return rounds
  } finally {
    helm.leave()
    session.round?.close()
    board.runEnded()
    await gateway.close()
  }
  if (failure !== null) throw failure
  return rounds
}

const nothingPublished = ({ rounds }: RunSettings): GraftError =>
  new GraftError('GRAFT_RUN_FAILED', `None of ${rounds} rounds published a model.`)

/**
 * What earlier processes left of a run: its members and what operators chose go into the session.
 * @returns the journal by round
 */
async function recall({ store }: Federation, session: Session): Promise<Map<number, PastEvent[]>> {
  const { run, members, chosen } = session
  const events = parseJournal(await store.readJournal(run.id))
  for (const { event } of events) {
    if (event.type === 'client-ready') members.add(event.client)
    if (event.type === 'model-chosen') chosen.set(event.round, event.model)
  }
  for (const { client } of await store.listBans()) members.delete(client)
  const byRound = new Map<number, PastEvent[]>()
  for (const past of events) {
    const ofRound = byRound.get(past.event.round)
    if (ofRound === undefined) byRound.set(past.event.round, [past])
    else ofRound.push(past)
  }
  return byRound
}

/** From here on operators may steer the run; a round that nothing is known of waits while it is paused. */
async function begin(
  { workbench, display, helm, signal, stop }: Federation,
  session: Session,
  events: readonly PastEvent[],
): Promise<void> {
  helm.take({ session, workbench })
  if (session.gate.isClosed && events.every(({ event }) => event.type === 'model-chosen')) {
    display.message('The run is paused: its next round waits for an operator.')
    // Clients need not wait outside.
    session.begin()
    await session.gate.passed(AbortSignal.any([signal, stop.signal]))
  }
}

/** What a round starts from: what an operator has chosen, or the global model. Later choices are for the next round. */
async function startOf(
  session: Session,
  helm: Helm,
  { round, globalModel }: { readonly round: RoundNumber; readonly globalModel: BlobId },
): Promise<BlobId> {
  return helm.exclusively(async () => {
    session.nextRound = round + 1
    return session.chosen.get(round) ?? globalModel
  })
}

/** A model is the global one now: operators may come back to it. */
function adopt({ board }: Federation, session: Session, model: BlobId, past: ModelPast): void {
  session.models.set(model, past)
  board.globalModel(session.chosen.get(session.nextRound) ?? model)
}

/** What a round begins with, and what is known of it. */
interface ConductedPast extends RoundPast, ModelPast {
  /** What an earlier process journalled. */
  readonly events: PastEvent[]
  readonly onStep: (state: RoundState) => void
}

/** A round that has published a model, a new one or the one before. */
interface EndedRound {
  readonly report: RoundReport
  /** What the strategy remembers with the model. */
  readonly state: BlobId | null
}

/** A round of an earlier process; undefined: it failed, perhaps behind its model, as when the journal could not be written. */
async function endedBefore(
  { store, board }: Federation,
  run: RunId,
  last: RoundState,
): Promise<EndedRound | undefined> {
  const stored = last.phase === 'published' ? await store.readModel(run, last.round) : null
  if (stored === null) return undefined
  const report = fromStored(stored)
  board.roundEnded(report.seconds)
  return { report, state: stateAfter(last) }
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
  const { settings, store, workbench, display, board } = federation
  const signal = AbortSignal.any([federation.signal, session.stop.signal])
  await dismissUnwanted(store, session, gateway)
  const { run, record } = Object.assign(session, { record: createRoundRecord() })
  const { round, globalModel } = past
  let report: RoundReport | undefined
  let failure: GraftError | undefined

  const start = await offerModel(federation, session, globalModel)
  session.start = start
  const requests = await workbench.trainingRequests(past)
  const tell = (phase: RoundPhase) => (detail: string) => display.phase(round, phase, detail)

  const beganAt = past.events[0]?.at ?? new Date()
  let reached = replay(rulesOf(settings), startRound(round), past.events)
  board.roundBegan(reached, beganAt)
  const conducted = runRound(
    {
      rules: rulesOf(settings),
      deadlineSeconds: settings.deadlineSeconds,
      async journal(moves) {
        const [first, ...others] = moves
        const last = await store.appendEvents(run.id, [
          first.event,
          ...others.map(({ event }) => event),
        ])
        moves.forEach(({ event, state }, index) => {
          board.appended(run, last - moves.length + 1 + index, event, state)
        })
      },
      work: {
        async fuse(updates) {
          const fused = await workbench.fuse(past, updates, tell('fusing'))
          await setAside(federation, { run: run.id, round, updates, checks: fused.checks })
          return fused
        },
        tune: (updates, fused) => workbench.tune(round, updates, fused, tell('tuning')),
        async evaluate(stage) {
          const judged = await workbench.evaluate(stage, past, tell('evaluating'))
          const { blob, isNew } = judged.publication
          const ledger = isNew
            ? await workbench.ledgerOf(stage.fused)
            : await storedLedger(store, run.id, past.publishedIn)
          report = reportRound({ ...stage, round }, judged, ledger)
          await store.saveModel({ run: run.id, round, blob, ...toStored(report) })
          await offerModel(federation, session, blob)
          return judged.publication
        },
      },
      voice: {
        invite(client, deadlineSeconds) {
          session.members.add(client)
          const proxy = session.proxy && { proxy: session.proxy }
          const training = requests(client)
          for (const ref of training ? blobsOf(training) : []) session.offered.set(ref.id, ref)
          gateway.invite(client, {
            ...{ run: run.id, round, model: start, ...proxy, ...(training && { training }) },
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
        if (state.phase !== 'failed') reached = state
        past.onStep(state)
      },
      onDeadline(at) {
        board.deadline(at)
      },
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
    display.message(withoutModel(reached, settings))
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

/** Whose neurons made the model of an earlier round. */
async function storedLedger(
  store: Store,
  run: RunId,
  round: RoundNumber | null,
): Promise<LedgerReport | undefined> {
  const model = round === null ? null : await store.readModel(run, round)
  return model === null || model.ledger === null ? undefined : LedgerReport.parse(model.ledger)
}

/** Ends the connection of each client that was banned, or whose token was revoked or has expired, since it joined. */
async function dismissUnwanted(store: Store, session: Session, gateway: Gateway): Promise<void> {
  const [clients, tokens] = [await store.listClients(), await store.listTokens()]
  const bans = await store.listBans()
  for (const client of session.ready) {
    const ban = bans.find((each) => each.client === client)
    const tokenId = clients.find(({ id }) => id === client)?.tokenId
    const hasToken = tokens.some((token) => token.id === tokenId && isValid(token))
    if (ban === undefined && hasToken) continue
    const reason = ban === undefined ? tokenInvalid(client) : banned(ban)
    await store.audit({
      actor: `client:${client}`,
      action: 'client:dismissed',
      details: { problem: reason.problem },
    })
    dismiss(session, gateway, client, reason)
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

/** Offers a model as clients get it. */
async function offerModel(
  federation: Federation,
  session: Session,
  model: BlobId,
): Promise<BlobRef> {
  const encoded = await federation.workbench.putForClients(model)
  const ref = await offer(federation, session, encoded)
  session.forClients.set(model, ref)
  return ref
}

/** A model as clients get it. */
function offered(session: Session, model: BlobId): BlobRef {
  const ref = session.forClients.get(model)
  if (ref === undefined) throw new TypeError(`model ${model} was never offered`)
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

import { setTimeout as delay } from 'node:timers/promises'
import { GraftError } from '../../shared/errors.ts'
import type { RunId } from '../../shared/ids.ts'
import { createSerialQueue } from './serial-queue.ts'
import type { Store } from './store.ts'

/** Pause between two attempts. */
const PAUSE_MS = 1_000

export interface Patience {
  /** Longest wait of one call. */
  readonly seconds: number
  /** Told once when the database stops answering, and once when it answers again. */
  readonly onSilence: (error: GraftError) => void
  readonly onAnswer: () => void
  /** Ends all waiting. */
  readonly signal: AbortSignal
}

/**
 * A store whose calls wait while its database does not answer, so that rounds and clients wait too.
 *
 * What was written though its answer was lost is not written again: as one coordinator writes at a time, an event behind
 * the last known one is the one asked for, and an unfinished run the run. Only an entry of the audit log may be there twice.
 * Admission does not wait: a client that is refused so asks again by itself.
 */
export function createPatientStore(store: Store, patience: Patience): Store {
  const { seconds, onSilence, onAnswer, signal } = patience
  const journal = createSerialQueue()
  const lastSeqs = new Map<RunId, number>()
  let isSilent = false

  /** @param again what is called instead of `call` from the second attempt on */
  async function insist<Result>(
    call: () => Promise<Result>,
    again: () => Promise<Result> = call,
  ): Promise<Result> {
    const patientUntil = performance.now() + seconds * 1000
    for (let attempt = call; ; attempt = again) {
      try {
        const result = await attempt()
        if (isSilent) onAnswer()
        isSilent = false
        return result
      } catch (error) {
        if (!isUnavailable(error) || performance.now() > patientUntil) throw error
        if (!isSilent) onSilence(error)
        isSilent = true
        await delay(PAUSE_MS, undefined, { signal })
      }
    }
  }

  async function readJournal(run: RunId) {
    const entries = await store.readJournal(run)
    lastSeqs.set(run, entries.at(-1)?.seq ?? 0)
    return entries
  }

  async function appendOnce(run: RunId, events: Events): Promise<number> {
    const last = lastSeqs.get(run) ?? Infinity
    // All were written or none.
    const ours = (await readJournal(run)).findLast(({ seq }) => seq > last)
    return ours?.seq ?? append(run, events)
  }

  async function append(run: RunId, events: Events): Promise<number> {
    if (!lastSeqs.has(run)) await readJournal(run)
    const seq = await store.appendEvents(run, events)
    lastSeqs.set(run, seq)
    return seq
  }

  const appendEvents = (run: RunId, events: Events): Promise<number> =>
    journal.add(run, () =>
      insist(
        () => append(run, events),
        () => appendOnce(run, events),
      ),
    )

  return {
    ...store,
    // Only the first reading says where the journal ends: a later one may be ahead of an event under way.
    readJournal: (run) =>
      insist(() => (lastSeqs.has(run) ? store.readJournal(run) : readJournal(run))),
    appendEvent: (run, event) => appendEvents(run, [event]),
    appendEvents,
    createRun: (settings) =>
      insist(
        () => store.createRun(settings),
        async () => (await store.unfinishedRun()) ?? store.createRun(settings),
      ),
    queueRun: (run, settings) => insist(() => store.queueRun(run, settings)),
    queuedRun: () => insist(() => store.queuedRun()),
    listRuns: () => insist(() => store.listRuns()),
    listBans: () => insist(() => store.listBans()),
    unfinishedRun: () => insist(() => store.unfinishedRun()),
    setRunStatus: (run, status) => insist(() => store.setRunStatus(run, status)),
    saveModel: (model) => insist(() => store.saveModel(model)),
    listModels: (run) => insist(() => store.listModels(run)),
    listTokens: () => insist(() => store.listTokens()),
    listClients: () => insist(() => store.listClients()),
    audit: (entry) => insist(() => store.audit(entry)),
  }
}

type Events = Parameters<Store['appendEvents']>[1]

function isUnavailable(error: unknown): error is GraftError {
  return error instanceof GraftError && error.code === 'GRAFT_DATABASE_UNAVAILABLE'
}

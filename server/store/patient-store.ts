import type { RunId } from '../../shared/ids.ts'
import { createInsist, type Patience } from './insist.ts'
import { createSerialQueue } from './serial-queue.ts'
import type { Store } from './store.ts'

/**
 * A store whose calls wait while its database does not answer, so that rounds and clients wait too.
 *
 * What was written though its answer was lost is not written again: as one coordinator writes at a time, an event behind
 * the last known one is the one asked for, and an unfinished run the run. Only an entry of the audit log may be there twice.
 * Admission does not wait: a client that is refused so asks again by itself.
 */
export function createPatientStore(store: Store, patience: Patience): Store {
  const insist = createInsist('GRAFT_DATABASE_UNAVAILABLE', patience)
  const journal = createSerialQueue()
  const lastSeqs = new Map<RunId, number>()

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
    failRun: (run, failure) => insist(() => store.failRun(run, failure)),
    saveModel: (model) => insist(() => store.saveModel(model)),
    readModel: (run, round) => insist(() => store.readModel(run, round)),
    namedBlobs: (run, options) => insist(() => store.namedBlobs(run, options)),
    listTokens: () => insist(() => store.listTokens()),
    listClients: () => insist(() => store.listClients()),
    audit: (entry) => insist(() => store.audit(entry)),
  }
}

type Events = Parameters<Store['appendEvents']>[1]

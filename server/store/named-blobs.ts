import { BlobId, type RunId } from '../../shared/ids.ts'
import type { Store } from './store.ts'

/** Entry of the audit log: the updates of a run's first rounds are let go of. */
export const UPDATES_RELEASED = 'updates:released'

/** More than there are: one a round. */
const ENTRIES = 1_000_000

type Readable = Pick<Store, 'listRuns' | 'readJournal' | 'listModels' | 'readAuditOf'>

/**
 * Every blob that an event or a model of any run names, but for updates that were let go of.
 *
 * @param options.without a run that is left out
 */
export async function namedBlobs(
  store: Readable,
  options: { readonly without?: RunId } = {},
): Promise<Set<BlobId>> {
  const named = new Set<BlobId>()
  const released = await releasedRounds(store)
  for (const { id: run } of await store.listRuns()) {
    if (run === options.without) continue
    const upTo = released.get(run) ?? 0
    const entries = await store.readJournal(run)
    const kept = entries.filter(({ event }) => !isUpdateUpTo(event, upTo))
    const models = await store.listModels(run)
    // Whatever looks like a blob's id is taken for one: of two mistakes this one loses nothing.
    for (const text of [...kept, ...models].map((value) => JSON.stringify(value))) {
      for (const [id] of text.matchAll(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g))
        named.add(BlobId.parse(id))
    }
  }
  return named
}

/** The last round of each run whose updates are let go of. */
export async function releasedRounds(
  store: Pick<Store, 'readAuditOf'>,
): Promise<Map<RunId, number>> {
  const released = new Map<RunId, number>()
  for (const { actor, details } of await store.readAuditOf(UPDATES_RELEASED, ENTRIES)) {
    if (actor !== 'coordinator') continue
    const { run, upTo } = details as { run: RunId; upTo: number }
    released.set(run, Math.max(upTo, released.get(run) ?? 0))
  }
  return released
}

function isUpdateUpTo(event: unknown, upTo: number): boolean {
  const { type, round } = event as { type?: unknown; round?: unknown }
  return type === 'update-received' && typeof round === 'number' && round <= upTo
}

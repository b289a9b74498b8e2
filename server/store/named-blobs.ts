import type { BlobId, RunId } from '../../shared/ids.ts'
import type { Store } from './store.ts'

/** Entry of the audit log: the updates of a run's first rounds are let go of. */
export const UPDATES_RELEASED = 'updates:released'

/** More than there are: one a round. */
const ENTRIES = 1_000_000

type Readable = Pick<Store, 'listRuns' | 'namedBlobs' | 'readAuditOf'>

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
    const withoutUpdatesUpTo = released.get(run) ?? 0
    for (const id of await store.namedBlobs(run, { withoutUpdatesUpTo })) named.add(id)
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

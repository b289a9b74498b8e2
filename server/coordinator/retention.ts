import type { BlobId, RunId } from '../../shared/ids.ts'
import { namedBlobs, releasedRounds, UPDATES_RELEASED } from '../store/named-blobs.ts'
import type { BlobStore, Store } from '../store/store.ts'
import type { PastEvent } from './journal.ts'
import type { RoundState } from './round-state.ts'

/** Lets go of the updates of rounds that are long over. */
export interface Retention {
  /** A round has these updates now. */
  readonly stepped: (state: RoundState) => void
  /** A round is over: what no kept round needs is removed from disk. */
  readonly ended: (round: number) => Promise<void>
}

export interface RetentionOptions {
  readonly store: Store
  readonly blobs: Pick<BlobStore, 'remove'>
  readonly run: RunId
  /** Newest rounds whose updates are kept; Infinity keeps all. */
  readonly keepUpdates: number
  /** What earlier processes journalled of the run. */
  readonly past: readonly PastEvent[]
}

/**
 * Updates are needed until their round is over, as a coordinator that was killed fuses them again; after that nothing asks for
 * them, and copies of those that were set aside lie in quarantine. What is let go of is noted before it is removed, so that
 * a blob that is not there was either let go of or is lost.
 */
export async function openRetention({
  store,
  blobs,
  run,
  keepUpdates,
  past,
}: RetentionOptions): Promise<Retention> {
  const updatesOf = new Map<number, Set<BlobId>>()
  /** Another run on the same seed may have had the same updates; runs that are over do not change. */
  let elsewhere: Promise<Set<BlobId>> | undefined

  function note(round: number, blob: BlobId): void {
    const blobsOf = updatesOf.get(round) ?? new Set()
    updatesOf.set(round, blobsOf.add(blob))
  }
  const before = (await releasedRounds(store)).get(run) ?? 0
  for (const { event } of past) {
    if (event.type !== 'update-received' || event.round <= before) continue
    note(event.round, event.update.blob)
  }

  return {
    stepped(state) {
      if (!('updates' in state)) return
      for (const { blob } of Object.values(state.updates)) note(state.round, blob)
    },
    async ended(round) {
      const upTo = round - keepUpdates
      const over = [...updatesOf].filter(([of]) => of <= upTo)
      if (over.length === 0) return
      elsewhere ??= namedBlobs(store, { without: run })
      const details = { run, upTo }
      await store.audit({ actor: 'coordinator', action: UPDATES_RELEASED, details })
      for (const [of] of over) updatesOf.delete(of)
      const kept = [...updatesOf.values()]
      const others = await elsewhere
      for (const blob of over.flatMap(([, blobsOf]) => [...blobsOf])) {
        if (others.has(blob) || kept.some((blobsOf) => blobsOf.has(blob))) continue
        await blobs.remove(blob)
      }
    },
  }
}

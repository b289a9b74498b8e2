import { z } from 'zod'
import { BlobId, compareIds } from '../../shared/ids.ts'
import { modelBytes } from '../../shared/model/model-bytes.ts'
import { readerOfModel } from '../../shared/model/stored-weights.ts'
import { readAll } from '../../shared/model/weight-reader.ts'
import { finitePieces } from '../../shared/model/weight-stream.ts'
import type { OpenFusion, StrategyState } from '../fusion/strategy.ts'
import { once } from './once.ts'
import { openModelFile } from '../store/open-model-file.ts'
import { putFile } from '../store/put-file.ts'
import type { BlobStore } from '../store/store.ts'

/** What a strategy remembers, as it is stored: a blob of its own for each name, so that what stays is not copied. */
const StoredState = z.record(z.string(), BlobId)
export type StoredState = z.infer<typeof StoredState>

/**
 * The blobs that a journal names by one. Blobs go by their content, so the same state has the same id.
 *
 * @param id null: nothing is remembered yet
 * @throws z.ZodError for what {@link putState} never wrote
 */
export async function readState(blobs: BlobStore, id: BlobId | null): Promise<StoredState> {
  if (id === null) return {}
  return StoredState.parse(JSON.parse(Buffer.from(await blobs.get(id)).toString()))
}

/** Reads what is remembered when it is asked for. */
export function openState(blobs: BlobStore, stored: StoredState): StrategyState {
  const entries = Object.entries(stored).map(([name, id]) => {
    const open = once(async () => readerOfModel(await openModelFile(blobs, id)))
    return [name, { open, load: async () => readAll(await open()) }] as const
  })
  return Object.fromEntries(entries)
}

/**
 * Stores what a round leaves, one name after the other.
 *
 * @param before what the round began with; stays where `state` has no new value
 * @throws GraftError GRAFT_NOT_FINITE for what would spoil every round from here on
 */
export async function putState(
  blobs: BlobStore,
  before: StoredState,
  state: NonNullable<OpenFusion['state']>,
): Promise<BlobId> {
  const stored = { ...before }
  for (const [name, open] of Object.entries(state)) {
    const metadata = { format: 'graft-state', name }
    const made = await open()
    const pieces = () => finitePieces(made, `The strategy's ${name}: `)
    stored[name] = await putFile(blobs, modelBytes({ shapes: made.shapes, pieces }, metadata))
  }
  const inOrder = Object.entries(stored).sort(([a], [b]) => compareIds(a, b))
  return blobs.put(Buffer.from(JSON.stringify(Object.fromEntries(inOrder))))
}

import type { BlobId, ClientId } from '../../shared/ids.ts'
import type { BlobRef, TrainingRequest } from '../../shared/protocol/messages.ts'
import type { ParsedStrategy } from '../fusion/strategies.ts'
import type { BlobStore } from '../store/store.ts'
import { readState } from './journalled-state.ts'

/** What a round asks of the training of one client; undefined when it asks nothing. */
export type TrainingRequests = (client: ClientId) => TrainingRequest | undefined

/**
 * Names the blobs of a strategy's state in what the strategy asks of clients. The same after a restart.
 *
 * @param state what the round begins with; null: nothing
 */
export async function openTrainingRequests(
  { strategy, options }: ParsedStrategy,
  blobs: BlobStore,
  state: BlobId | null,
): Promise<TrainingRequests> {
  const parts = new Map<string, BlobRef>()
  for (const [name, id] of Object.entries(await readState(blobs, state))) {
    parts.set(name, { id, sizeBytes: await blobs.sizeOf(id) })
  }
  return (client) => {
    const { proximal, correction } = strategy.clientTraining?.(options, client) ?? {}
    const add = correction && parts.get(correction.add)
    const subtract = correction && parts.get(correction.subtract)
    const request: TrainingRequest = {
      ...(proximal !== undefined && { proximal }),
      ...(add && { correction: { add, ...(subtract && { subtract }) } }),
    }
    return Object.keys(request).length > 0 ? request : undefined
  }
}

/** The blobs that a client is asked to pull. */
export function blobsOf({ correction }: TrainingRequest): BlobRef[] {
  if (correction === undefined) return []
  const { add, subtract } = correction
  return subtract === undefined ? [add] : [add, subtract]
}

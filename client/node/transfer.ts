import { createHash } from 'node:crypto'
import { GraftError } from '../../shared/errors.ts'
import { BlobId, type RoundNumber } from '../../shared/ids.ts'
import {
  BlobChunk,
  type BlobRef,
  CHUNK_BYTES,
  Done,
  MAX_WINDOW_BYTES,
  type UpdateBegin,
  type UpdateCommit,
  UploadOffset,
} from '../../shared/protocol/messages.ts'
import { type Connection, ConnectionLost } from './connection.ts'

/** Times the coordinator may have lost or spoilt an upload before the client gives up. */
const MAX_FAULTS = 3

export interface TransferOptions {
  /** The blob is for one client in one round: pulled once, and not kept for another time or another client. */
  readonly isOwn?: true
  readonly signal?: AbortSignal
  /** Share done, 0 to 1. */
  readonly onProgress?: (done: number) => void
  /** Told of a refusal that is answered by sending again. */
  readonly onFault?: (error: GraftError) => void
  /** Told what is sent, each time that it begins or goes on. */
  readonly onBegin?: (upload: BlobRef & { readonly offset: number }) => void
}

type PullOptions = Pick<TransferOptions, 'signal' | 'onProgress'> & {
  /** How much may be under way. @default MAX_WINDOW_BYTES */
  readonly windowBytes?: number
}

/**
 * Fetches a blob in chunks, several at a time; one that is lost with the connection is asked for again.
 *
 * @returns bytes the caller owns
 * @throws GraftError GRAFT_BLOB_UNKNOWN; GRAFT_BLOB_CORRUPT when the bytes are not those of `blob.id`
 */
export async function pullBlob(
  connection: Connection,
  blob: BlobRef,
  { signal, onProgress, windowBytes = MAX_WINDOW_BYTES }: PullOptions = {},
): Promise<Uint8Array> {
  const bytes = new Uint8Array(blob.sizeBytes)
  const chunkBytes = Math.min(CHUNK_BYTES, windowBytes)
  let next = 0
  let received = 0

  async function pullInTurn(): Promise<void> {
    while (next < bytes.length) {
      const offset = next
      const length = Math.min(chunkBytes, bytes.length - offset)
      next += length
      const chunk = await untilAnswered(async () => {
        signal?.throwIfAborted()
        const pull = { id: blob.id, offset, length }
        return (await connection.request('blob:pull', pull, BlobChunk)).chunk
      })
      if (chunk.length !== length) throw corrupt(blob)
      bytes.set(chunk, offset)
      received += chunk.length
      onProgress?.(received / bytes.length)
    }
  }

  await Promise.all(Array.from({ length: Math.floor(windowBytes / chunkBytes) }, pullInTurn))
  if (sha256(bytes) !== blob.id) throw corrupt(blob)
  return bytes
}

/** One update, encoded. */
export interface OutgoingUpdate {
  readonly round: RoundNumber
  readonly bytes: Uint8Array
  /** Made when all bytes have arrived: it says how long that took. */
  readonly commit: () => Omit<UpdateCommit, 'round'>
}

/**
 * Sends an update, as far ahead of the last acknowledged byte as the coordinator lets it. After a reconnect it goes on
 * from the byte the coordinator has; returns when the update is journalled there.
 *
 * @throws GraftError the coordinator's refusal
 */
export async function pushUpdate(
  connection: Connection,
  { round, bytes, commit }: OutgoingUpdate,
  { signal, onProgress, onFault, onBegin }: TransferOptions = {},
): Promise<void> {
  const announced: UpdateBegin = {
    round,
    sizeBytes: bytes.length,
    sha256: BlobId.parse(sha256(bytes)),
  }
  let faults = 0

  for (;;) {
    try {
      signal?.throwIfAborted()
      const begun = await connection.request('update:begin', announced, UploadOffset)
      onBegin?.({ id: announced.sha256, sizeBytes: bytes.length, offset: begun.offset })
      await sendChunks(begun)
      await connection.request('update:commit', { round, ...commit() }, Done)
      return
    } catch (error) {
      // After a lost connection the next request waits for the new one, or ends when there will be none.
      if (error instanceof ConnectionLost) continue
      if (!isPartFault(error) || ++faults === MAX_FAULTS) throw error
      onFault?.(error)
    }
  }

  async function sendChunks(begun: UploadOffset): Promise<void> {
    let { offset: next, windowBytes } = begun
    let acknowledged = next
    const underWay = new Set<Promise<void>>()
    const failures: Error[] = []

    async function send(offset: number, chunk: Uint8Array): Promise<void> {
      signal?.throwIfAborted()
      const message = { round, offset, chunk }
      const wanted = await connection.request('update:chunk', message, UploadOffset)
      const end = offset + chunk.length
      if (wanted.offset !== end) throw moved(offset, wanted.offset)
      acknowledged = end
      windowBytes = wanted.windowBytes
      onProgress?.(end / bytes.length)
    }

    while (next < bytes.length && failures.length === 0) {
      const chunk = bytes.subarray(next, next + Math.min(CHUNK_BYTES, windowBytes))
      if (next > acknowledged && next + chunk.length > acknowledged + windowBytes) {
        await Promise.race(underWay)
        continue
      }
      const sent = send(next, chunk)
        .catch((error: unknown) => void failures.push(error as Error))
        .finally(() => underWay.delete(sent))
      underWay.add(sent)
      next += chunk.length
    }
    // All have stopped before the next attempt: none sends into it.
    await Promise.all(underWay)
    const decisive = failures.find((failure) => !(failure instanceof ConnectionLost)) ?? failures[0]
    if (decisive !== undefined) throw decisive
  }
}

// The part on the coordinator's disk is not what this client thought: `update:begin` tells what is there.
function isPartFault(error: unknown): error is GraftError {
  return (
    error instanceof GraftError &&
    (error.code === 'GRAFT_UPLOAD_CORRUPT' || error.code === 'GRAFT_UPLOAD_UNKNOWN')
  )
}

/** Repeats a request that changes nothing until the connection lasts long enough. */
async function untilAnswered<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error
    }
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function corrupt(blob: BlobRef): GraftError {
  return new GraftError('GRAFT_BLOB_CORRUPT', `Blob ${blob.id} did not arrive as it was announced.`)
}

function moved(offset: number, wanted: number): GraftError {
  const problem = `Sent the chunk at byte ${offset}; the coordinator goes on at byte ${wanted}.`
  return new GraftError('GRAFT_UPLOAD_CORRUPT', problem)
}

import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, rm, stat } from 'node:fs/promises'
import { GraftError, toGraftError } from '../../shared/errors.ts'
import type { ClientId, RoundNumber } from '../../shared/ids.ts'
import type {
  UpdateBegin,
  UpdateChunk,
  UpdateCommit,
  UploadOffset,
} from '../../shared/protocol/messages.ts'
import { transferWindow } from '../../shared/protocol/transfer-window.ts'
import { createClientQueues } from './client-queues.ts'
import type { GatewayHandlers, Inspection } from './gateway.ts'
import { createParts } from './upload-parts.ts'

/** Updates on their way in: at most one per client, on disk, never whole in memory. */
export interface Uploads {
  /**
   * Starts or resumes an upload; another one of this client is dropped.
   * @returns the first byte not yet here, and how many may be under way
   * @throws GraftError what `checkUpdate` throws
   */
  begin(client: ClientId, announced: UpdateBegin): Promise<UploadOffset>
  /**
   * Appends a chunk; one at another offset than wanted changes nothing.
   * @returns the byte wanted next, and how many may be under way
   * @throws GraftError GRAFT_UPLOAD_UNKNOWN, GRAFT_UPLOAD_TOO_LARGE, GRAFT_DISK_FULL
   */
  write(client: ClientId, chunk: UpdateChunk): Promise<UploadOffset>
  /**
   * Verifies a complete upload and hands it to `onUpdate`; a second time for the same round is a no-op.
   * @throws GraftError GRAFT_UPLOAD_UNKNOWN, GRAFT_UPLOAD_CORRUPT, what `onUpdate` throws
   */
  commit(client: ClientId, commit: UpdateCommit): Promise<void>
  /** Forgets and removes what was sent for `round` and before; every round when it is null. */
  discard(round: RoundNumber | null): Promise<void>
  /** Resolves once nothing is being written any more, and no file is open. */
  idle(): Promise<void>
}

interface Upload {
  readonly announced: UpdateBegin
  readonly path: string
  /** Bytes on disk, and in `hash`. */
  offset: number
  readonly hash: Hash
  readonly inspection: Inspection
  /** Open from the first byte to the last, or until nobody waits for more. */
  file: FileHandle | null
}

type UploadHandlers = Pick<GatewayHandlers, 'checkUpdate' | 'onUpdate' | 'onUploadProgress'>

/** @param folder must exist; parts left there by a crash are resumed when their client asks */
export function createUploads(folder: string, handlers: UploadHandlers): Uploads {
  const uploads = new Map<ClientId, Upload>()
  const committed = new Map<ClientId, UpdateBegin>()
  const queues = createClientQueues()
  const parts = createParts(folder)

  async function begin(client: ClientId, announced: UpdateBegin): Promise<UploadOffset> {
    // The acknowledgement of a commit was lost: there is nothing left to send.
    if (isSame(committed.get(client), announced)) return wanted(announced.sizeBytes)
    const inspection = handlers.checkUpdate(client, announced)
    const current = uploads.get(client)
    if (current !== undefined && isSame(current.announced, announced)) {
      return wanted(current.offset)
    }
    await closeFile(current)
    const path = parts.pathOf(client, announced)
    await parts.remove(client, (part) => part.path !== path)
    const isLeft = await parts.add(client, announced)
    const hash = createHash('sha256')
    const upload: Upload = { announced, path, offset: 0, hash, inspection, file: null }
    if (isLeft) await resume(upload)
    uploads.set(client, upload)
    return wanted(upload.offset)
  }

  async function write(client: ClientId, { round, offset, chunk }: UpdateChunk) {
    const upload = uploadOf(client, round)
    if (offset !== upload.offset) return wanted(upload.offset)
    const { sizeBytes } = upload.announced
    if (offset + chunk.byteLength > sizeBytes) {
      await drop(client, upload)
      throw new GraftError(
        'GRAFT_UPLOAD_TOO_LARGE',
        `${client} announced ${sizeBytes} bytes and sent ${offset + chunk.byteLength}.`,
      )
    }
    try {
      upload.file ??= await open(upload.path, 'a', 0o600)
      await upload.file.appendFile(chunk)
    } catch (error) {
      await drop(client, upload)
      throw storageError(client, error)
    }
    take(upload, chunk)
    handlers.onUploadProgress(client, { receivedBytes: upload.offset, sizeBytes })
    return wanted(upload.offset)
  }

  async function commit(client: ClientId, message: UpdateCommit): Promise<void> {
    if (!uploads.has(client) && committed.get(client)?.round === message.round) return
    const upload = uploadOf(client, message.round)
    const { announced, path, hash, inspection } = upload
    if (upload.offset < announced.sizeBytes) {
      throw new GraftError(
        'GRAFT_UPLOAD_UNKNOWN',
        `${client} committed ${upload.offset} of ${announced.sizeBytes} bytes.`,
      )
    }
    uploads.delete(client)
    try {
      const digest = hash.digest('hex')
      if (digest !== announced.sha256) {
        throw new GraftError(
          'GRAFT_UPLOAD_CORRUPT',
          `The update of ${client} has SHA-256 ${digest}, announced was ${announced.sha256}.`,
        )
      }
      await sync(upload)
      const blob = { id: announced.sha256, sizeBytes: announced.sizeBytes }
      await handlers.onUpdate(client, { ...message, blob, path, inspection })
      committed.set(client, announced)
    } finally {
      await closeFile(upload)
      await parts.remove(client, (part) => part.path === path)
    }
  }

  async function discard(round: RoundNumber | null): Promise<void> {
    const isOver = (of: number) => round === null || of <= round
    const clients = new Set([...uploads.keys(), ...committed.keys(), ...(await parts.clients())])
    const removals = [...clients].map((client) =>
      // Behind a commit under way, which still reads its part.
      queues.run(client, async () => {
        const upload = uploads.get(client)
        if (isOver(upload?.announced.round ?? Infinity)) {
          uploads.delete(client)
          await closeFile(upload)
        }
        if (isOver(committed.get(client)?.round ?? Infinity)) committed.delete(client)
        await parts.remove(client, (part) => isOver(part.round))
      }),
    )
    await Promise.all(removals)
  }

  const wanted = (offset: number): UploadOffset => ({
    offset,
    windowBytes: transferWindow(uploads.size),
  })

  function uploadOf(client: ClientId, round: RoundNumber): Upload {
    const upload = uploads.get(client)
    if (upload?.announced.round === round) return upload
    throw new GraftError(
      'GRAFT_UPLOAD_UNKNOWN',
      `There is no upload of ${client} for round ${round}.`,
    )
  }

  async function drop(client: ClientId, upload: Upload): Promise<void> {
    uploads.delete(client)
    await closeFile(upload)
    await parts.remove(client, (part) => part.path === upload.path)
  }

  return {
    begin: (client, announced) => queues.run(client, () => begin(client, announced)),
    write: (client, chunk) => queues.run(client, () => write(client, chunk)),
    commit: (client, message) => queues.run(client, () => commit(client, message)),
    discard,
    async idle() {
      await queues.idle()
      for (const upload of uploads.values()) await closeFile(upload)
    },
  }
}

/** Notes bytes that are on disk. */
function take(upload: Upload, bytes: Uint8Array): void {
  upload.hash.update(bytes)
  upload.inspection.add(bytes)
  upload.offset += bytes.byteLength
}

/** Reads what an earlier process left, in pieces, to go on behind it. */
async function resume(upload: Upload): Promise<void> {
  const { path, announced } = upload
  const size = (await stat(path).catch(toNullWhenMissing))?.size ?? 0
  if (size > announced.sizeBytes) await rm(path, { force: true })
  else if (size > 0) {
    for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) take(upload, piece)
  }
}

function isSame(a: UpdateBegin | undefined, b: UpdateBegin): boolean {
  return a?.round === b.round && a.sha256 === b.sha256 && a.sizeBytes === b.sizeBytes
}

/** An acknowledged update survives a power cut. */
async function sync(upload: Upload): Promise<void> {
  // Of an update that had come whole before this process began, nothing was written.
  upload.file ??= await open(upload.path, 'r+')
  await upload.file.datasync()
  await closeFile(upload)
}

async function closeFile(upload: Upload | undefined): Promise<void> {
  const file = upload?.file
  if (!upload || !file) return
  upload.file = null
  await file.close()
}

function toNullWhenMissing(error: unknown): null {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
  throw error
}

// The client reads this message: it says what is wrong, not which folders the coordinator has.
function storageError(client: ClientId, cause: unknown): GraftError {
  const { code } = toGraftError(cause)
  return code === 'GRAFT_DISK_FULL'
    ? new GraftError(code, `The coordinator could not store the update of ${client}.`, { cause })
    : toGraftError(cause)
}

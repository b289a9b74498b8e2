import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { appendFile, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { GraftError, toGraftError } from '../../shared/errors.ts'
import type { ClientId, RoundNumber } from '../../shared/ids.ts'
import type {
  UpdateBegin,
  UpdateChunk,
  UpdateCommit,
  UploadOffset,
} from '../../shared/protocol/messages.ts'
import { createClientQueues } from './client-queues.ts'
import type { GatewayHandlers } from './gateway.ts'

/** Updates on their way in: at most one per client, on disk, never whole in memory. */
export interface Uploads {
  /**
   * Starts or resumes an upload; another one of this client is dropped.
   * @returns the first byte not yet here
   * @throws GraftError what `checkUpdate` throws
   */
  begin(client: ClientId, announced: UpdateBegin): Promise<UploadOffset>
  /**
   * Appends a chunk; one at another offset than wanted changes nothing.
   * @returns the byte wanted next
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
  /** Resolves once nothing is being written any more. */
  idle(): Promise<void>
}

interface Upload {
  readonly announced: UpdateBegin
  readonly path: string
  /** Bytes on disk, and in `hash`. */
  offset: number
  readonly hash: Hash
}

type UploadHandlers = Pick<GatewayHandlers, 'checkUpdate' | 'onUpdate' | 'onUploadProgress'>

/** @param folder must exist; parts left there by a crash are resumed when their client asks */
export function createUploads(folder: string, handlers: UploadHandlers): Uploads {
  const uploads = new Map<ClientId, Upload>()
  const committed = new Map<ClientId, UpdateBegin>()
  const queues = createClientQueues()

  async function begin(client: ClientId, announced: UpdateBegin): Promise<UploadOffset> {
    // The acknowledgement of a commit was lost: there is nothing left to send.
    if (isSame(committed.get(client), announced)) return { offset: announced.sizeBytes }
    handlers.checkUpdate(client, announced)
    const current = uploads.get(client)
    if (current !== undefined && isSame(current.announced, announced)) {
      return { offset: current.offset }
    }
    const path = join(folder, partName(client, announced))
    await removeParts((part) => part.client === client && part.path !== path)
    const upload = await resume(path, announced)
    uploads.set(client, upload)
    return { offset: upload.offset }
  }

  async function write(client: ClientId, { round, offset, chunk }: UpdateChunk) {
    const upload = uploadOf(client, round)
    if (offset !== upload.offset) return { offset: upload.offset }
    const { sizeBytes } = upload.announced
    if (offset + chunk.byteLength > sizeBytes) {
      await drop(client, upload)
      throw new GraftError(
        'GRAFT_UPLOAD_TOO_LARGE',
        `${client} announced ${sizeBytes} bytes and sent ${offset + chunk.byteLength}.`,
      )
    }
    try {
      await appendFile(upload.path, chunk, { mode: 0o600 })
    } catch (error) {
      await drop(client, upload)
      throw storageError(client, error)
    }
    upload.hash.update(chunk)
    upload.offset += chunk.byteLength
    handlers.onUploadProgress(client, { receivedBytes: upload.offset, sizeBytes })
    return { offset: upload.offset }
  }

  async function commit(client: ClientId, message: UpdateCommit): Promise<void> {
    if (!uploads.has(client) && committed.get(client)?.round === message.round) return
    const upload = uploadOf(client, message.round)
    const { announced, path, hash } = upload
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
      await sync(path)
      const blob = { id: announced.sha256, sizeBytes: announced.sizeBytes }
      await handlers.onUpdate(client, { ...message, blob, path })
      committed.set(client, announced)
    } finally {
      await rm(path, { force: true })
    }
  }

  async function discard(round: RoundNumber | null): Promise<void> {
    const isOver = (of: number) => round === null || of <= round
    const clients = new Set([...uploads.keys(), ...committed.keys()])
    for (const { client } of await listParts()) clients.add(client)
    const removals = [...clients].map((client) =>
      // Behind a commit under way, which still reads its part.
      queues.run(client, async () => {
        if (isOver(uploads.get(client)?.announced.round ?? Infinity)) uploads.delete(client)
        if (isOver(committed.get(client)?.round ?? Infinity)) committed.delete(client)
        await removeParts((part) => part.client === client && isOver(part.round))
      }),
    )
    await Promise.all(removals)
  }

  function uploadOf(client: ClientId, round: RoundNumber): Upload {
    const upload = uploads.get(client)
    if (upload?.announced.round === round) return upload
    throw new GraftError(
      'GRAFT_UPLOAD_UNKNOWN',
      `There is no upload of ${client} for round ${round}.`,
    )
  }

  async function drop(client: ClientId, { path }: Upload): Promise<void> {
    uploads.delete(client)
    await rm(path, { force: true })
  }

  async function listParts(): Promise<Part[]> {
    return (await readdir(folder)).flatMap((file) => toPart(folder, file) ?? [])
  }

  async function removeParts(isUnwanted: (part: Part) => boolean): Promise<void> {
    for (const part of await listParts()) if (isUnwanted(part)) await rm(part.path, { force: true })
  }

  return {
    begin: (client, announced) => queues.run(client, () => begin(client, announced)),
    write: (client, chunk) => queues.run(client, () => write(client, chunk)),
    commit: (client, message) => queues.run(client, () => commit(client, message)),
    discard,
    idle: () => queues.idle(),
  }
}

interface Part {
  readonly client: ClientId
  readonly round: number
  readonly path: string
}

// The hash is in the name, so that after a restart only the same update is resumed.
function partName(client: ClientId, { round, sha256 }: UpdateBegin): string {
  return `${client}.${round}.${sha256}.part`
}

function toPart(folder: string, file: string): Part | null {
  const match = /^(.+)\.(\d+)\.[0-9a-f]{64}\.part$/.exec(file)
  if (match === null) return null
  return { client: match[1] as ClientId, round: Number(match[2]), path: join(folder, file) }
}

/** Reads what an earlier process left, in pieces, to go on behind it. */
async function resume(path: string, announced: UpdateBegin): Promise<Upload> {
  const upload = { announced, path, offset: 0, hash: createHash('sha256') }
  try {
    for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
      upload.hash.update(piece)
      upload.offset += piece.byteLength
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  if (upload.offset <= announced.sizeBytes) return upload
  await rm(path, { force: true })
  return { announced, path, offset: 0, hash: createHash('sha256') }
}

function isSame(a: UpdateBegin | undefined, b: UpdateBegin): boolean {
  return a?.round === b.round && a.sha256 === b.sha256 && a.sizeBytes === b.sizeBytes
}

/** An acknowledged update survives a power cut. */
async function sync(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.datasync()
  } finally {
    await file.close()
  }
}

// The client reads this message: it says what is wrong, not which folders the coordinator has.
function storageError(client: ClientId, cause: unknown): GraftError {
  const { code } = toGraftError(cause)
  return code === 'GRAFT_DISK_FULL'
    ? new GraftError(code, `The coordinator could not store the update of ${client}.`, { cause })
    : toGraftError(cause)
}

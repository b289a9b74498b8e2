import { createHash, randomUUID } from 'node:crypto'
import {
  type FileHandle,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { GraftError, orGraftError, toGraftError } from '../../shared/errors.ts'
import { BlobId } from '../../shared/ids.ts'
import { createChunkCache } from './chunk-cache.ts'
import {
  copyFileDurably,
  hashFile,
  isErrno,
  measureFile,
  type MeasuredFile,
  moveFile,
  syncFolder,
  writeFileDurably,
} from './files.ts'
import type { BlobStore } from './store.ts'

/** Blobs in a folder of this machine. */
export interface FolderBlobs extends BlobStore {
  /** Where a blob lies, or would lie. */
  pathOf(id: BlobId): string
  /** Where a file can be written that is then adopted; opening the store empties the folder that it is in. */
  draft(): string
}

/**
 * A content-addressed folder: the blob `abcdef...` is the file `<folder>/ab/cdef...`. A file has its name
 * only once it is complete and on disk, so whatever a crash leaves behind lies in `<folder>/tmp`.
 *
 * One process at a time may have the folder open, as opening empties `<folder>/tmp`: what a leader of before is writing there
 * fails, as all it does would.
 *
 * @throws GraftError GRAFT_DISK_FULL, GRAFT_FILE_UNREADABLE when the folder cannot be made
 */
export async function openBlobs(folder: string): Promise<FolderBlobs> {
  const drafts = join(folder, 'tmp')
  await orGraftError(async () => {
    await rm(drafts, { recursive: true, force: true })
    await mkdir(drafts, { recursive: true })
  })

  const pathOf = (id: BlobId): string => join(folder, id.slice(0, 2), id.slice(2))
  const draft = (): string => join(drafts, randomUUID())
  const chunks = createChunkCache(readChunk)
  /** Folders that are there for good. */
  const made = new Set<string>()

  async function makeFolder(path: string): Promise<void> {
    if (made.has(path)) return
    await mkdir(path, { recursive: true })
    await syncFolder(folder)
    made.add(path)
  }

  async function readChunk(id: BlobId, offset: number, length: number): Promise<Uint8Array> {
    const file = await open(pathOf(id)).catch(toUnknown(id))
    try {
      return await readRange(file, offset, length)
    } finally {
      await file.close()
    }
  }

  /** Lets `write` make a file, then gives it the blob's name; a failure leaves nothing. */
  async function store(id: BlobId, write: (draft: string) => Promise<void>): Promise<void> {
    const written = draft()
    const path = pathOf(id)
    await orGraftError(async () => {
      try {
        await write(written)
        // The names are durable too: the file's in its folder, and the folder's in the store.
        await makeFolder(dirname(path))
        await rename(written, path)
        await syncFolder(dirname(path))
        chunks.forget(id)
      } catch (error) {
        await rm(written, { force: true })
        throw error
      }
    })
  }

  /** Gives a file on disk the blob's name. Whatever has that name already is replaced: it is the same, or broken. */
  async function moveIn(path: string, id: BlobId): Promise<void> {
    try {
      await makeFolder(dirname(pathOf(id)))
      await rename(path, pathOf(id))
    } catch (error) {
      if (!isErrno(error, 'EXDEV')) throw error
      await store(id, (draft) => copyFileDurably(path, draft))
      await rm(path, { force: true })
      return
    }
    await syncFolder(dirname(pathOf(id)))
    chunks.forget(id)
  }

  /** A stored blob that no longer matches its id is written anew, as if it were not there. */
  const isIntact = async (id: BlobId): Promise<boolean> =>
    (await hashFile(pathOf(id)).catch(toNullWhenMissing)) === id

  async function assertIntact(id: BlobId): Promise<MeasuredFile> {
    const measured = await measureFile(pathOf(id), HEAD_BYTES).catch(toUnknown(id))
    if (measured.hash !== id) throw corrupt(id, measured.hash)
    return measured
  }

  return {
    pathOf,
    draft,
    file: async (id) => pathOf(id),

    put: async (bytes) => {
      const id = BlobId.parse(createHash('sha256').update(bytes).digest('hex'))
      if (!(await isIntact(id))) await store(id, (draft) => writeFileDurably(draft, bytes))
      return id
    },

    open: async (id) => {
      const { sizeBytes, head } = await assertIntact(id)
      return {
        sizeBytes,
        async read(offset, target) {
          if (offset + target.length <= head.length) {
            target.set(head.subarray(offset, offset + target.length))
            return
          }
          const file = await open(pathOf(id)).catch(toUnknown(id))
          try {
            await fillFrom(file, offset, target)
          } finally {
            await file.close()
          }
        },
      }
    },

    create: async () => {
      const path = draft()
      const hash = createHash('sha256')
      const file = await orGraftError(() => open(path, 'wx'))
      return {
        write: (bytes) =>
          orGraftError(async () => {
            hash.update(bytes)
            await file.writeFile(bytes)
          }),
        keep: () =>
          orGraftError(async () => {
            await file.sync()
            await file.close()
            const id = BlobId.parse(hash.digest('hex'))
            if (await isIntact(id)) await rm(path, { force: true })
            else await moveIn(path, id)
            return id
          }),
        async discard() {
          await file.close()
          await rm(path, { force: true })
        },
      }
    },

    adopt: async (path, id, known) => {
      if (known?.isVerified === true) return orGraftError(() => moveIn(path, id))
      const actual = await orGraftError(() => hashFile(path))
      if (actual !== id) {
        await rm(path, { force: true })
        const problem = `The file's SHA-256 is ${actual}, not ${id} as announced.`
        throw new GraftError('GRAFT_UPLOAD_CORRUPT', problem)
      }
      if (!(await isIntact(id))) await store(id, (draft) => moveFile(path, draft))
      await rm(path, { force: true })
    },

    get: async (id) => {
      const bytes = await readFile(pathOf(id)).catch(toUnknown(id))
      const actual = createHash('sha256').update(bytes).digest('hex')
      if (actual !== id) throw corrupt(id, actual)
      return bytes
    },

    read: chunks.read,

    sizeOf: async (id) => (await stat(pathOf(id)).catch(toUnknown(id))).size,

    remove: (id) =>
      orGraftError(async () => {
        await rm(pathOf(id), { force: true })
        chunks.forget(id)
      }),

    has: async (id) => (await stat(pathOf(id)).catch(toNullWhenMissing)) !== null,

    check: () =>
      orGraftError(async () => {
        const file = draft()
        await writeFile(file, 'x')
        await rm(file, { force: true })
      }),
  }
}

const corrupt = (id: BlobId, actual: string): GraftError =>
  new GraftError('GRAFT_BLOB_CORRUPT', `Blob ${id} now has the SHA-256 ${actual}.`)

/** Of an open blob, what is kept: the header of most models, which is read in two parts. */
const HEAD_BYTES = 4096

/** Up to `length` bytes, fewer at the end of the file. */
async function readRange(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  // No more than there is, so that a caller's large `length` costs no memory.
  const { size } = await file.stat()
  const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)))
  const { bytesRead } = await file.read(bytes, 0, bytes.length, offset)
  return bytes.subarray(0, bytesRead)
}

/** @throws RangeError where the file ends before */
async function fillFrom(file: FileHandle, offset: number, target: Uint8Array): Promise<void> {
  for (let at = 0; at < target.length;) {
    const { bytesRead } = await file.read(target, at, target.length - at, offset + at)
    if (bytesRead === 0) throw new RangeError(`no ${target.length} bytes behind byte ${offset}`)
    at += bytesRead
  }
}

function toUnknown(id: BlobId): (error: unknown) => never {
  return (error) => {
    if (!isErrno(error, 'ENOENT')) throw toGraftError(error)
    throw new GraftError('GRAFT_BLOB_UNKNOWN', `There is no blob ${id}.`, { cause: error })
  }
}

function toNullWhenMissing(error: unknown): null {
  if (isErrno(error, 'ENOENT')) return null
  throw toGraftError(error)
}

import { readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { toGraftError } from '../../shared/errors.ts'
import { BlobId } from '../../shared/ids.ts'
import { hashFile } from './files.ts'
import { namedBlobs } from './named-blobs.ts'
import type { Bucket } from './s3/bucket.ts'
import type { Store } from './store.ts'

/** What is wrong with the blobs, and what was done about it. */
export interface RepairReport {
  /** Whole, and named by a run. */
  readonly intact: number
  /** Named by no run, removed. */
  readonly orphans: readonly Stored[]
  /** What uploads and writes left that were broken off, removed. */
  readonly leftovers: readonly Stored[]
  /** Of blobs in a bucket, removed. */
  readonly copies: readonly Stored[]
  /** Named by a run, but other bytes are there. */
  readonly corrupt: readonly BlobId[]
  /** Named by a run, and not there. */
  readonly missing: readonly BlobId[]
}

interface Stored {
  readonly sizeBytes: number
}

interface StoredFile extends Stored {
  readonly path: string
}

/** Where blobs are, as far as a repair goes. */
export interface Shelf {
  list(): Promise<ReadonlyMap<BlobId, Stored>>
  /** SHA-256 of what has this name. */
  hash(id: BlobId): Promise<string>
  remove(id: BlobId): Promise<void>
}

export interface Places {
  readonly shelf: Shelf
  /** Folder of files that are written; nothing in it is of use to the next process. */
  readonly drafts: string
  /** Uploads under way; kept while a run is unfinished, as they are resumed. */
  readonly uploads: string
  /** Folder with copies of what is on the shelf: emptied, as they come back when they are asked for. */
  readonly copies?: string
}

/**
 * Checks each blob against its name and against what journal and models name, and removes what nothing names, updates that
 * were let go of among it. Nobody else may use shelf and folders meanwhile.
 */
export async function repairBlobs(store: Store, places: Places): Promise<RepairReport> {
  const { shelf, drafts, uploads, copies } = places
  const named = await namedBlobs(store)
  const found = await shelf.list()
  const orphans: Stored[] = []
  for (const [id, stored] of found) {
    if (named.has(id)) continue
    await shelf.remove(id)
    orphans.push(stored)
  }
  const isUnfinished = (await store.unfinishedRun()) !== null
  const leftovers = await removeFiles(drafts)
  if (!isUnfinished) leftovers.push(...(await removeFiles(uploads)))
  const removedCopies = copies === undefined ? [] : await removeFiles(copies)
  const corrupt: BlobId[] = []
  const missing: BlobId[] = []
  for (const id of named) {
    if (!found.has(id)) missing.push(id)
    else if ((await shelf.hash(id)) !== id) corrupt.push(id)
  }
  const intact = named.size - corrupt.length - missing.length
  return { intact, orphans, leftovers, copies: removedCopies, corrupt, missing }
}

/** The blobs of `openBlobs` in the same folder. */
export function folderShelf(folder: string): Shelf {
  const pathOf = (id: BlobId): string => join(folder, id.slice(0, 2), id.slice(2))
  return {
    async list() {
      const found = new Map<BlobId, Stored>()
      for (const { path, sizeBytes } of await filesIn(folder)) {
        const id = BlobId.safeParse(basename(dirname(path)) + basename(path))
        if (id.success) found.set(id.data, { sizeBytes })
      }
      return found
    },
    hash: (id) => hashFile(pathOf(id)),
    remove: (id) => rm(pathOf(id), { force: true }),
  }
}

export function bucketShelf(bucket: Bucket): Shelf {
  return {
    list: async () =>
      new Map((await bucket.list()).map(({ id, sizeBytes }) => [id, { sizeBytes }])),
    hash: (id) => bucket.hash(id),
    remove: (id) => bucket.remove(id),
  }
}

async function removeFiles(folder: string): Promise<StoredFile[]> {
  const files = await filesIn(folder)
  for (const { path } of files) await rm(path, { force: true })
  return files
}

async function filesIn(folder: string): Promise<StoredFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(noFolder)
  const files = entries.filter((entry) => entry.isFile())
  return Promise.all(
    files.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name)
      return { path, sizeBytes: (await stat(path)).size }
    }),
  )
}

function noFolder(error: unknown): [] {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
  throw toGraftError(error)
}

import { readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { toGraftError } from '../../shared/errors.ts'
import { BlobId } from '../../shared/ids.ts'
import { hashFile } from './files.ts'
import { namedBlobs } from './named-blobs.ts'
import type { Store } from './store.ts'

/** What is wrong with a folder of blobs, and what was done about it. */
export interface RepairReport {
  /** Whole, and named by a run. */
  readonly intact: number
  /** Named by no run, removed. */
  readonly orphans: readonly StoredFile[]
  /** What uploads and writes left that were broken off, removed. */
  readonly leftovers: readonly StoredFile[]
  /** Named by a run, but other bytes are there. */
  readonly corrupt: readonly BlobId[]
  /** Named by a run, and not there. */
  readonly missing: readonly BlobId[]
}

interface StoredFile {
  readonly path: string
  readonly sizeBytes: number
}

export interface Places {
  readonly blobs: string
  /** Uploads under way; kept while a run is unfinished, as they are resumed. */
  readonly uploads: string
}

/**
 * Checks each blob against its name and against what journal and models name, and removes what nothing names, updates that were
 * let go of among it. Nobody else
 * may use the folders meanwhile.
 */
export async function repairBlobs(store: Store, { blobs, uploads }: Places): Promise<RepairReport> {
  const named = await namedBlobs(store)
  const found = new Map<BlobId, StoredFile>()
  for (const file of await filesIn(blobs)) {
    const id = BlobId.safeParse(basename(dirname(file.path)) + basename(file.path))
    if (id.success) found.set(id.data, file)
  }
  const orphans = [...found].flatMap(([id, file]) => (named.has(id) ? [] : [file]))
  const isUnfinished = (await store.unfinishedRun()) !== null
  const leftovers = [
    ...(await filesIn(join(blobs, 'tmp'))),
    ...(isUnfinished ? [] : await filesIn(uploads)),
  ]
  for (const { path } of [...orphans, ...leftovers]) await rm(path, { force: true })
  const corrupt: BlobId[] = []
  const missing: BlobId[] = []
  for (const id of named) {
    const file = found.get(id)
    if (file === undefined) missing.push(id)
    else if ((await hashFile(file.path)) !== id) corrupt.push(id)
  }
  const intact = named.size - corrupt.length - missing.length
  return { intact, orphans, leftovers, corrupt, missing }
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

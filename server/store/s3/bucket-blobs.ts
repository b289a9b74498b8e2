import { createHash } from 'node:crypto'
import { rm, stat } from 'node:fs/promises'
import { GraftError, orGraftError } from '../../../shared/errors.ts'
import { BlobId } from '../../../shared/ids.ts'
import { openBlobs } from '../blobs.ts'
import { hashFile, syncFile } from '../files.ts'
import type { Insist } from '../insist.ts'
import type { BlobStore } from '../store.ts'
import type { Bucket } from './bucket.ts'

export interface BucketBlobsOptions {
  readonly bucket: Bucket
  /** Copies of blobs, of this coordinator alone; what is missing there is fetched. */
  readonly copies: string
  /** Waits while the bucket does not answer. */
  readonly insist: Insist
}

/**
 * Blobs in a bucket, read by way of copies in a folder. A blob is in the bucket before `put`, `adopt` or a draft's `keep` return:
 * whoever leads next finds all that was journalled, from whatever machine.
 *
 * @throws GraftError GRAFT_DISK_FULL, GRAFT_FILE_UNREADABLE when the folder cannot be made
 */
export async function openBucketBlobs(options: BucketBlobsOptions): Promise<BlobStore> {
  const { bucket, insist } = options
  const copies = await openBlobs(options.copies)
  const fetches = new Map<BlobId, Promise<void>>()

  /** Once for all who want the blob at the same time. */
  function fetchOnce(id: BlobId): Promise<void> {
    const known = fetches.get(id)
    if (known !== undefined) return known
    const fetching = insist(() => fetchCopy(id)).finally(() => fetches.delete(id))
    fetches.set(id, fetching)
    return fetching
  }

  async function fetchCopy(id: BlobId): Promise<void> {
    const draft = copies.draft()
    try {
      await bucket.fetch(id, draft)
      await orGraftError(() => syncFile(draft))
      await copies.adopt(draft, id, { isVerified: true })
    } finally {
      await rm(draft, { force: true })
    }
  }

  async function makeCopy(id: BlobId): Promise<void> {
    if (!(await copies.has(id))) await fetchOnce(id)
  }

  /** What is not intact is a spoilt copy, not the blob. */
  async function fromCopy<Result>(id: BlobId, read: () => Promise<Result>): Promise<Result> {
    await makeCopy(id)
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof GraftError) || error.code !== 'GRAFT_BLOB_CORRUPT') throw error
      await fetchOnce(id)
      return read()
    }
  }

  return {
    put: async (bytes) => {
      const id = BlobId.parse(createHash('sha256').update(bytes).digest('hex'))
      await insist(() => bucket.put(id, bytes))
      return copies.put(bytes)
    },

    adopt: async (path, id, known) => {
      if (known?.isVerified !== true) {
        const actual = await orGraftError(() => hashFile(path))
        if (actual !== id) {
          await rm(path, { force: true })
          const problem = `The file's SHA-256 is ${actual}, not ${id} as announced.`
          throw new GraftError('GRAFT_UPLOAD_CORRUPT', problem)
        }
      }
      const { size: sizeBytes } = await orGraftError(() => stat(path))
      await insist(() => bucket.put(id, { path, sizeBytes }))
      await copies.adopt(path, id, known)
    },

    get: (id) => fromCopy(id, () => copies.get(id)),

    open: (id) => fromCopy(id, () => copies.open(id)),

    create: async () => {
      const draft = await copies.create()
      return {
        ...draft,
        async keep() {
          const id = await draft.keep()
          // In the bucket before anybody hears of it: a copy alone is not the blob.
          const path = copies.pathOf(id)
          const sizeBytes = await copies.sizeOf(id)
          await insist(() => bucket.put(id, { path, sizeBytes }))
          return id
        },
      }
    },

    read: async (id, offset, length) => {
      await makeCopy(id)
      return copies.read(id, offset, length)
    },

    sizeOf: async (id) => {
      if (await copies.has(id)) return copies.sizeOf(id)
      const size = await insist(() => bucket.sizeOf(id))
      if (size !== null) return size
      throw new GraftError('GRAFT_BLOB_UNKNOWN', `There is no blob ${id} in ${bucket.description}.`)
    },

    has: async (id) => (await insist(() => bucket.sizeOf(id))) !== null,

    // From the bucket first: what is left after a kill is a copy, which nobody takes for the blob.
    remove: async (id) => {
      await insist(() => bucket.remove(id))
      await copies.remove(id)
    },

    file: async (id) => {
      await makeCopy(id)
      return copies.pathOf(id)
    },

    check: async () => {
      await bucket.check()
      await copies.check()
    },
  }
}

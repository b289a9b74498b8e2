import { createWriteStream } from 'node:fs'
import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { GraftError } from '../../../shared/errors.ts'
import { BlobId, type ClientId } from '../../../shared/ids.ts'
import { isOf, ownerOf, type QuarantinedFile } from '../quarantine-files.ts'
import { toBucketError } from './bucket-error.ts'
import { type BucketPlace, type ObjectSource, openObjects } from './objects.ts'

export interface StoredObject {
  readonly id: BlobId
  /** With the prefix. */
  readonly key: string
  readonly sizeBytes: number
}

/**
 * What a coordinator keeps in a bucket. Blobs have the names that they have in a folder: `PREFIX/ab/cdef...`.
 * Every method throws GRAFT_BUCKET_UNAVAILABLE when the server does not answer, and GRAFT_BUCKET_REFUSED.
 */
export interface Bucket {
  /** e.g. `s3://graft/ward at http://minio:9000`; never a key. */
  readonly description: string
  /** Durable when it returns. The server takes no other bytes than those of `id`. */
  put(id: BlobId, source: ObjectSource): Promise<void>
  /** Writes a new file. @throws GraftError GRAFT_BLOB_UNKNOWN, GRAFT_BLOB_CORRUPT */
  fetch(id: BlobId, path: string): Promise<void>
  /** SHA-256 of what is stored under this name. @throws GraftError GRAFT_BLOB_UNKNOWN */
  hash(id: BlobId): Promise<string>
  /** Null: it is not there. */
  sizeOf(id: BlobId): Promise<number | null>
  /** What is named like a blob; nothing else below the prefix is looked at. */
  list(): Promise<StoredObject[]>
  remove(id: BlobId): Promise<void>
  /** Files of uploads that are set aside, below `PREFIX/quarantine/`, by their names. */
  readonly quarantine: BucketQuarantine
  /** One small request. */
  check(): Promise<void>
  close(): void
}

export interface BucketQuarantine {
  /** Durable when it returns; the server takes no other bytes than those of the hash in the name. */
  put(name: string, source: ObjectSource): Promise<void>
  /** @throws GraftError GRAFT_FILE_UNREADABLE when it is not there */
  read(name: string): Promise<Uint8Array>
  /** @param client only its files; all when absent */
  list(client?: ClientId): Promise<QuarantinedFile[]>
  remove(name: string): Promise<void>
}

/** No blob lies there: their folders have two letters. */
const QUARANTINE = 'quarantine/'

const keyOf = (id: BlobId): string => `${id.slice(0, 2)}/${id.slice(2)}`

/** @throws GraftError as {@link openObjects} does */
export async function openBucket(place: BucketPlace): Promise<Bucket> {
  const objects = await openObjects(place)
  const { description } = objects

  async function read(id: BlobId): Promise<Readable> {
    const body = await objects.open(keyOf(id))
    if (body !== null) return body
    throw new GraftError('GRAFT_BLOB_UNKNOWN', `There is no blob ${id} in ${description}.`)
  }

  /** A stream that breaks is the bucket's fault, too. */
  async function streaming<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      throw toBucketError(error, description)
    }
  }

  return {
    description,
    put: (id, source) => objects.put(keyOf(id), id, source),

    fetch: (id, path) =>
      streaming(async () => {
        const hash = createHash('sha256')
        const body = await read(id)
        await pipeline(
          body,
          async function* (pieces: AsyncIterable<Buffer>) {
            for await (const piece of pieces) {
              hash.update(piece)
              yield piece
            }
          },
          createWriteStream(path, { flags: 'wx' }),
        )
        const actual = hash.digest('hex')
        if (actual === id) return
        const problem = `Blob ${id} in ${description} now has the SHA-256 ${actual}.`
        throw new GraftError('GRAFT_BLOB_CORRUPT', problem)
      }),

    hash: (id) =>
      streaming(async () => {
        const hash = createHash('sha256')
        await pipeline(await read(id), hash)
        return hash.digest('hex')
      }),

    sizeOf: (id) => objects.sizeOf(keyOf(id)),

    async list() {
      return (await objects.list('')).flatMap(({ key, fullKey, sizeBytes }) => {
        const [, first = '', rest = ''] = /^(..)\/([^/]+)$/.exec(key) ?? []
        const id = BlobId.safeParse(first + rest)
        return id.success ? [{ id: id.data, key: fullKey, sizeBytes }] : []
      })
    },

    remove: (id) => objects.remove(keyOf(id)),

    quarantine: {
      async put(name, source) {
        const owner = ownerOf(name)
        if (owner === null) throw new RangeError(`${name} is no name of an upload`)
        await objects.put(`${QUARANTINE}${name}`, owner.sha256, source)
      },

      read: (name) =>
        streaming(async () => {
          const body = await objects.open(`${QUARANTINE}${name}`)
          if (body !== null) return buffer(body)
          throw new GraftError('GRAFT_FILE_UNREADABLE', `${name} is not in ${description}.`)
        }),

      async list(client) {
        const below = client === undefined ? QUARANTINE : `${QUARANTINE}${client}.`
        return (await objects.list(below)).flatMap(({ key, sizeBytes, at }) => {
          const name = key.slice(QUARANTINE.length)
          return isOf(name, client) ? [{ name, sizeBytes, at }] : []
        })
      },

      remove: (name) => objects.remove(`${QUARANTINE}${name}`),
    },

    check: () => objects.check(),
    close: () => objects.close(),
  }
}

import { createReadStream, createWriteStream } from 'node:fs'
import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { GraftError } from '../../../shared/errors.ts'
import { BlobId } from '../../../shared/ids.ts'
import { isNoObject, toBucketError } from './bucket-error.ts'

/** How long a server may take to accept a connection, and how long one may say nothing. */
const CONNECT_TIMEOUT_MS = 5_000
const SILENT_MS = 20_000
/** Of a request that the client itself can send again; who calls waits longer. */
const ATTEMPTS = 2
/** What servers other than Amazon's take for the region, when none is set. */
const ANY_REGION = 'us-east-1'

export interface BucketPlace {
  /** `s3://BUCKET` or `s3://BUCKET/PREFIX`. */
  readonly address: string
  /** Another server than Amazon's. */
  readonly endpoint: string | undefined
}

export interface StoredObject {
  readonly id: BlobId
  readonly key: string
  readonly sizeBytes: number
}

/**
 * Blobs in a bucket of a server that speaks S3, under the names that they have in a folder: `PREFIX/ab/cdef...`.
 * Every method throws GRAFT_BUCKET_UNAVAILABLE when the server does not answer, and GRAFT_BUCKET_REFUSED.
 */
export interface Bucket {
  /** e.g. `s3://graft/ward at http://minio:9000`; never a key. */
  readonly description: string
  /** Durable when it returns. The server takes no other bytes than those of `id`: their hash is signed. */
  put(
    id: BlobId,
    source: Uint8Array | { readonly path: string; readonly sizeBytes: number },
  ): Promise<void>
  /** Writes a new file. @throws GraftError GRAFT_BLOB_UNKNOWN, GRAFT_BLOB_CORRUPT */
  fetch(id: BlobId, path: string): Promise<void>
  /** SHA-256 of what is stored under this name. @throws GraftError GRAFT_BLOB_UNKNOWN */
  hash(id: BlobId): Promise<string>
  /** Null: it is not there. */
  sizeOf(id: BlobId): Promise<number | null>
  /** What is named like a blob; nothing else below the prefix is looked at. */
  list(): Promise<StoredObject[]>
  remove(id: BlobId): Promise<void>
  /** One small request. */
  check(): Promise<void>
  close(): void
}

/**
 * Keys, region and all else are found as every program with Amazon's library finds them: AWS_ACCESS_KEY_ID and its like,
 * `~/.aws`, the role of the machine.
 *
 * @throws GraftError GRAFT_BUCKET_UNAVAILABLE, GRAFT_BUCKET_REFUSED within a minute when it cannot be used
 */
export async function openBucket({ address, endpoint }: BucketPlace): Promise<Bucket> {
  // The library tells users of Node 20 about later versions of itself, which this one is not.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
  const [name = '', ...path] = address.replace(/^s3:\/\//, '').split('/')
  const prefix = path
    .filter((part) => part !== '')
    .map((part) => `${part}/`)
    .join('')
  const description = endpoint === undefined ? address : `${address} at ${endpoint}`
  const client = await createClient(description, endpoint)

  const keyOf = (id: BlobId): string => `${prefix}${id.slice(0, 2)}/${id.slice(2)}`
  const objectOf = (id: BlobId) => ({ Bucket: name, Key: keyOf(id) })

  async function orBucketError<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      throw toBucketError(error, description)
    }
  }

  async function read(id: BlobId): Promise<Readable> {
    try {
      const { Body } = await client.send(new GetObjectCommand(objectOf(id)))
      return Body as Readable
    } catch (error) {
      if (!isNoObject(error)) throw error
      const problem = `There is no blob ${id} in ${description}.`
      throw new GraftError('GRAFT_BLOB_UNKNOWN', problem, { cause: error })
    }
  }

  async function listPage(after: string | undefined) {
    const page = { Bucket: name, Prefix: prefix, ContinuationToken: after }
    return client.send(new ListObjectsV2Command(page))
  }

  const bucket: Bucket = {
    description,

    put: (id, source) =>
      orBucketError(async () => {
        const isBytes = source instanceof Uint8Array
        const body = isBytes ? source : createReadStream(source.path)
        const sizeBytes = isBytes ? source.byteLength : source.sizeBytes
        const object = { ...objectOf(id), Body: body, ContentLength: sizeBytes }
        const command = new PutObjectCommand(object)
        command.middlewareStack.add(signedHash(id), { step: 'build' })
        try {
          await client.send(command)
        } finally {
          // One that was broken off leaves the file open.
          if (!(body instanceof Uint8Array)) body.destroy()
        }
      }),

    fetch: (id, path) =>
      orBucketError(async () => {
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
      orBucketError(async () => {
        const hash = createHash('sha256')
        await pipeline(await read(id), hash)
        return hash.digest('hex')
      }),

    sizeOf: (id) =>
      orBucketError(async () => {
        try {
          return (await client.send(new HeadObjectCommand(objectOf(id)))).ContentLength ?? 0
        } catch (error) {
          if (isNoObject(error)) return null
          throw error
        }
      }),

    list: () =>
      orBucketError(async () => {
        const objects: StoredObject[] = []
        let after: string | undefined
        do {
          const { Contents = [], NextContinuationToken } = await listPage(after)
          for (const { Key: key = '', Size: sizeBytes = 0 } of Contents) {
            const [, first = '', rest = ''] = /^(..)\/([^/]+)$/.exec(key.slice(prefix.length)) ?? []
            const id = BlobId.safeParse(first + rest)
            if (id.success) objects.push({ id: id.data, key, sizeBytes })
          }
          after = NextContinuationToken
        } while (after !== undefined)
        return objects
      }),

    remove: (id) =>
      orBucketError(async () => {
        await client.send(new DeleteObjectCommand(objectOf(id)))
      }),

    check: () =>
      orBucketError(async () => {
        const one = { Bucket: name, Prefix: prefix, MaxKeys: 1 }
        await client.send(new ListObjectsV2Command(one))
      }),

    close: () => client.destroy(),
  }
  try {
    await bucket.check()
    return bucket
  } catch (error) {
    bucket.close()
    throw error
  }
}

async function createClient(where: string, endpoint: string | undefined): Promise<S3Client> {
  const options = {
    maxAttempts: ATTEMPTS,
    // What goes wrong is thrown; the library would also write it to stderr.
    logger: SILENT,
    // A blob's name is its hash: a second checksum of the library's own is one more thing that servers differ in.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, socketTimeout: SILENT_MS },
    // A server of one's own rarely has a name for each bucket.
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
  } as const
  const client = new S3Client(options)
  try {
    await client.config.region()
    return client
  } catch (error) {
    client.destroy()
    if (endpoint !== undefined) return new S3Client({ ...options, region: ANY_REGION })
    throw new GraftError('GRAFT_BUCKET_REFUSED', `AWS_REGION is not set for ${where}.`, {
      cause: error,
    })
  }
}

const nothing = () => undefined
const SILENT = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing }

interface Built {
  readonly request: unknown
}

/** Signs the name of the blob as the hash of the body, so that the file is not read twice and other bytes are refused. */
function signedHash(id: BlobId) {
  return <Args extends object, Output>(next: (args: Args) => Promise<Output>) =>
    (args: Args): Promise<Output> => {
      const { headers } = (args as Args & Built).request as { headers: Record<string, string> }
      headers['x-amz-content-sha256'] = id
      return next(args)
    }
}

import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { GraftError } from '../../../shared/errors.ts'
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

export type ObjectSource = Uint8Array | { readonly path: string; readonly sizeBytes: number }

export interface ListedObject {
  /** Below the prefix. */
  readonly key: string
  /** With the prefix, as people see it in the bucket. */
  readonly fullKey: string
  readonly sizeBytes: number
  readonly at: Date
}

/**
 * Objects of a server that speaks S3, by their keys below the prefix. Every method throws GRAFT_BUCKET_UNAVAILABLE when the server
 * does not answer, and GRAFT_BUCKET_REFUSED.
 */
export interface Objects {
  /** e.g. `s3://graft/ward at http://minio:9000`; never a key of the server's. */
  readonly description: string
  /** Durable when it returns. The server takes no other bytes than those of this hash, in hex: it is signed. */
  put(key: string, sha256: string, source: ObjectSource): Promise<void>
  /** Errors of the stream are the client's own. Null: it is not there. */
  open(key: string): Promise<Readable | null>
  /** Null: it is not there. */
  sizeOf(key: string): Promise<number | null>
  /** @param below the first part of the keys; '' lists all */
  list(below: string): Promise<ListedObject[]>
  remove(key: string): Promise<void>
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
export async function openObjects({ address, endpoint }: BucketPlace): Promise<Objects> {
  // The library tells users of Node 20 about later versions of itself, which this one is not.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
  const [name = '', ...path] = address.replace(/^s3:\/\//, '').split('/')
  const prefix = path
    .filter((part) => part !== '')
    .map((part) => `${part}/`)
    .join('')
  const description = endpoint === undefined ? address : `${address} at ${endpoint}`
  const client = await createClient(description, endpoint)
  const objectOf = (key: string) => ({ Bucket: name, Key: `${prefix}${key}` })

  async function orBucketError<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      throw toBucketError(error, description)
    }
  }

  /** What `work` finds; null where the server has no such object. */
  async function orNull<Result>(work: () => Promise<Result>): Promise<Result | null> {
    return orBucketError(async () => {
      try {
        return await work()
      } catch (error) {
        if (isNoObject(error)) return null
        throw error
      }
    })
  }

  const objects: Objects = {
    description,

    put: (key, sha256, source) =>
      orBucketError(async () => {
        const isBytes = source instanceof Uint8Array
        const body = isBytes ? source : createReadStream(source.path)
        const sizeBytes = isBytes ? source.byteLength : source.sizeBytes
        const object = { ...objectOf(key), Body: body, ContentLength: sizeBytes }
        const command = new PutObjectCommand(object)
        command.middlewareStack.add(signedHash(sha256), { step: 'build' })
        try {
          await client.send(command)
        } finally {
          // One that was broken off leaves the file open.
          if (!(body instanceof Uint8Array)) body.destroy()
        }
      }),

    open: (key) =>
      orNull(async () => (await client.send(new GetObjectCommand(objectOf(key)))).Body as Readable),

    sizeOf: (key) =>
      orNull(
        async () => (await client.send(new HeadObjectCommand(objectOf(key)))).ContentLength ?? 0,
      ),

    list: (below) =>
      orBucketError(async () => {
        const found: ListedObject[] = []
        let after: string | undefined
        do {
          const page = { Bucket: name, Prefix: `${prefix}${below}`, ContinuationToken: after }
          const { Contents = [], NextContinuationToken } = await client.send(
            new ListObjectsV2Command(page),
          )
          for (const { Key: fullKey = '', Size: sizeBytes = 0, LastModified } of Contents) {
            const key = fullKey.slice(prefix.length)
            found.push({ key, fullKey, sizeBytes, at: LastModified ?? new Date(0) })
          }
          after = NextContinuationToken
        } while (after !== undefined)
        return found
      }),

    remove: (key) =>
      orBucketError(async () => {
        await client.send(new DeleteObjectCommand(objectOf(key)))
      }),

    check: () =>
      orBucketError(async () => {
        const one = { Bucket: name, Prefix: prefix, MaxKeys: 1 }
        await client.send(new ListObjectsV2Command(one))
      }),

    close: () => client.destroy(),
  }
  try {
    await objects.check()
    return objects
  } catch (error) {
    objects.close()
    throw error
  }
}

async function createClient(where: string, endpoint: string | undefined): Promise<S3Client> {
  const options = {
    maxAttempts: ATTEMPTS,
    // What goes wrong is thrown; the library would also write it to stderr.
    logger: SILENT,
    // The hash of the body is signed: a second checksum of the library's own is one more thing that servers differ in.
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

/** Signs a known hash of the body, so that a file is not read twice and other bytes are refused. */
function signedHash(sha256: string) {
  return <Args extends object, Output>(next: (args: Args) => Promise<Output>) =>
    (args: Args): Promise<Output> => {
      const { headers } = (args as Args & Built).request as { headers: Record<string, string> }
      headers['x-amz-content-sha256'] = sha256
      return next(args)
    }
}

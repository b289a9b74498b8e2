import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type S3Key, sha256, signatureFault } from './s3-signature.ts'

const BUCKET = 'graft-test'
const KEY: S3Key = { accessKeyId: 'test-key', secretAccessKey: 'a-secret-of-the-test-server' }
/** Small, so that a few objects fill more than one. */
const PAGE_SIZE = 2

export interface S3Server extends AsyncDisposable {
  readonly url: string
  readonly bucket: string
  /** What a process needs to be let in. */
  readonly env: Readonly<Record<string, string>>
  /** By key; a test may change them. */
  readonly objects: Map<string, Buffer>
  /** Method and key of each request that was answered. */
  readonly requests: readonly string[]
  /** Nobody listens any more; open connections break. */
  stop(): Promise<void>
  /** At the same address again, with the same objects. */
  start(): Promise<void>
  /** `silent` takes requests and never answers; a number is the status of every answer. */
  setFault(fault: 'none' | 'silent' | number): void
}

/**
 * As much of S3 as blobs take: PUT, GET, HEAD, DELETE and ListObjectsV2 in one bucket, path style. It checks every signature, and that
 * a body is the one that was signed.
 */
export async function startS3Server(): Promise<S3Server> {
  const objects = new Map<string, Buffer>()
  const requests: string[] = []
  /** When each object was last put, by its key. */
  const times = new Map<string, Date>()
  let fault: 'none' | 'silent' | number = 'none'
  let port = 0

  const server = createServer((request, response) => {
    void (async () => {
      const body = await bodyOf(request)
      if (body === null || fault === 'silent') return
      if (typeof fault === 'number') {
        refuse(response, fault, 'SlowDown')
        return
      }
      const { method = '', url = '', headers } = request
      const wrong = signatureFault({ method, url, headers, body }, KEY)
      if (wrong === 'XAmzContentSHA256Mismatch') {
        refuse(response, 400, wrong)
        return
      }
      if (wrong !== null) {
        refuse(response, 403, wrong)
        return
      }
      const [path = '', query = ''] = url.slice(1).split('?')
      const [bucket, ...parts] = path.split('/').map(decodeURIComponent)
      if (bucket !== BUCKET) {
        refuse(response, 404, 'NoSuchBucket')
        return
      }
      const key = parts.join('/')
      requests.push(`${method} ${key}`)
      if (key === '') {
        list(response, new URLSearchParams(query))
        return
      }
      answer(response, { method, key, body })
    })()
  })

  function answer(
    response: ServerResponse,
    { method, key, body }: { method: string; key: string; body: Buffer },
  ): void {
    if (method === 'PUT') {
      objects.set(key, body)
      times.set(key, new Date())
      response.writeHead(200, { etag: `"${sha256(body)}"` }).end()
      return
    }
    if (method === 'DELETE') {
      objects.delete(key)
      response.writeHead(204).end()
      return
    }
    const object = objects.get(key)
    if (object === undefined) return refuse(response, 404, 'NoSuchKey')
    response.writeHead(200, { 'content-length': object.length })
    response.end(method === 'HEAD' ? undefined : object)
  }

  function list(response: ServerResponse, query: URLSearchParams): void {
    const prefix = query.get('prefix') ?? ''
    const size = Math.min(PAGE_SIZE, Number(query.get('max-keys') ?? PAGE_SIZE))
    const after = query.get('continuation-token') ?? ''
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort()
    const page = keys.slice(0, size)
    const contents = page.map(
      (key) =>
        `<Contents><Key>${key}</Key><Size>${objects.get(key)!.length}</Size>` +
        `<LastModified>${(times.get(key) ?? new Date(0)).toISOString()}</LastModified></Contents>`,
    )
    const more = keys.length > page.length
    const next = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''
    response.writeHead(200, { 'content-type': 'application/xml' })
    response.end(
      `<ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`,
    )
  }

  async function start(): Promise<void> {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  }

  async function stop(): Promise<void> {
    if (!server.listening) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }

  await start()
  const url = `http://127.0.0.1:${port}`
  return {
    ...{ url, bucket: BUCKET, objects, requests, start, stop },
    env: {
      AWS_ACCESS_KEY_ID: KEY.accessKeyId,
      AWS_SECRET_ACCESS_KEY: KEY.secretAccessKey,
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_S3: url,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    setFault(next) {
      fault = next
    },
    [Symbol.asyncDispose]: stop,
  }
}

/** Null: the connection broke before all of it was here. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  try {
    return Buffer.concat((await request.toArray()) as Buffer[])
  } catch {
    return null
  }
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(`<Error><Code>${code}</Code><Message>of the test server</Message></Error>`)
}

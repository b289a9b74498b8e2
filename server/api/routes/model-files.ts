import { createReadStream } from 'node:fs'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { BlobId } from '../../../shared/ids.ts'
import { type ApiApp, BINARY, NOTHING, of, sendBytes } from '../api-app.ts'
import type { ApiContext } from '../api-context.ts'
import { parseRange } from '../byte-range.ts'
import { zipLayersModel } from '../layers-model-zip.ts'
import { findModel } from '../resources/model-resource.ts'
import { findRun } from './runs.ts'

const tags: [string] = ['models']
const MODEL = z.strictObject({ sha256: BlobId })
/** A model never changes: its name is the hash of its bytes. */
const FOREVER = 'private, max-age=31536000, immutable'

/** Models to download. */
export function modelFileRoutes(app: ApiApp, context: ApiContext): void {
  const { blobs, store } = context

  app.get(
    '/models/:sha256/safetensors',
    of('viewer', {
      tags,
      summary: 'The model as a safetensors file; takes `range` and `if-none-match`',
      params: MODEL,
      response: {
        200: BINARY('application/octet-stream', 'the file'),
        206: BINARY('application/octet-stream', 'the range that was asked for'),
        304: NOTHING,
        416: NOTHING,
      },
    }),
    async (request, reply) => {
      const { sha256 } = request.params
      const { round } = await findModel(context, sha256)
      const etag = `"${sha256}"`
      reply.headers({ etag, 'cache-control': FOREVER, 'accept-ranges': 'bytes' })
      if (isKnown(request, etag)) return reply.code(304).send(null)
      const size = await blobs.sizeOf(sha256)
      const range = parseRange(rangeOf(request, etag), size)
      if (range === null)
        return reply.code(416).header('content-range', `bytes */${size}`).send(null)
      const { first, last } = range ?? { first: 0, last: size - 1 }
      reply.headers({
        'content-length': last - first + 1,
        'content-disposition': attachment(`round-${String(round).padStart(3, '0')}.safetensors`),
      })
      if (range !== undefined) {
        reply.code(206).header('content-range', `bytes ${first}-${last}/${size}`)
      }
      // Streamed: a model may be larger than what this process should hold at once.
      const bytes = createReadStream(await blobs.file(sha256), { start: first, end: last })
      return sendBytes(reply.type('application/octet-stream'), bytes)
    },
  )

  app.get(
    '/models/:sha256/tfjs',
    of('viewer', {
      tags,
      summary: 'The model as a TensorFlow.js folder (`tf.loadLayersModel`), in a zip file',
      params: MODEL,
      response: { 200: BINARY('application/zip', 'a zip file of the folder'), 304: NOTHING },
    }),
    async (request, reply) => {
      const { sha256 } = request.params
      const { run, round } = await findModel(context, sha256)
      const etag = `"${sha256}-tfjs"`
      reply.headers({ etag, 'cache-control': FOREVER })
      if (isKnown(request, etag)) return reply.code(304).send(null)
      const { settings } = await findRun(store.lists, run)
      const zip = await zipLayersModel(settings, await blobs.get(sha256))
      const name = `round-${String(round).padStart(3, '0')}.zip`
      reply.header('content-disposition', attachment(name)).type('application/zip')
      return sendBytes(reply, Buffer.from(zip.buffer, zip.byteOffset, zip.length))
    },
  )
}

function isKnown({ headers }: FastifyRequest, etag: string): boolean {
  const known = headers['if-none-match']?.split(',').map((one) => one.trim().replace(/^W\//, ''))
  return known !== undefined && (known.includes(etag) || known.includes('*'))
}

/** A range of another version is no range. */
function rangeOf({ headers }: FastifyRequest, etag: string): string | undefined {
  const condition = headers['if-range']
  return condition === undefined || condition === etag ? headers.range : undefined
}

function attachment(name: string): string {
  return `attachment; filename="${name}"`
}

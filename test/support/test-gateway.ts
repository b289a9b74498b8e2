import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type Connection, type ConnectionOptions } from '../../client/node/connection.ts'
import type { GatewayHandlers, Inspection } from '../../server/gateway/gateway.ts'
import { type GatewayOptions, startGateway } from '../../server/gateway/start-gateway.ts'
import { BlobId, ClientId, RoundNumber, RunId } from '../../shared/ids.ts'
import type { BlobRef, UpdateBegin } from '../../shared/protocol/messages.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'

export const RUN = RunId.parse('00000000-0000-4000-8000-000000000001')
export const clientId = (name: string): ClientId => ClientId.parse(name)
export const round = (n: number): RoundNumber => RoundNumber.parse(n)
export const sha256 = (bytes: Uint8Array): BlobId =>
  BlobId.parse(createHash('sha256').update(bytes).digest('hex'))

/** What a client tells of itself in tests. */
export const AUTH = { token: 'secret', name: clientId('client-0'), version: '0', engine: 'wasm' }

export const SETTINGS: RunSettings = {
  seed: 7,
  dataset: 'toy',
  model: 'mlp:4-3-2',
  initialModel: null,
  partition: 'iid',
  examplesPerClient: null,
  clients: 1,
  rounds: 1,
  strategy: 'fedavg',
  proxy: 1,
  rehearse: false,
  scorer: 'conductance',
  training: { epochs: 1, batchSize: 4, optimizer: 'sgd', learningRate: 0.1 },
  tune: { mode: 'none', epochs: 0, learningRate: 0.1, batchSize: 4 },
  quorum: 1,
  deadlineSeconds: 60,
}

/** Finds nothing wrong with any bytes. */
export const UNINSPECTED: Inspection = { add: () => undefined, finish: () => undefined }

/** A real gateway on a free port whose coordinator agrees to everything and notes it. */
export async function startTestGateway(
  overrides: Partial<GatewayHandlers> = {},
  options: Partial<GatewayOptions> = {},
) {
  const scratch = await mkdtemp(join(tmpdir(), 'graft-gateway-'))
  const seen = {
    updates: [] as { client: ClientId; round: number; bytes: Uint8Array }[],
    left: [] as ClientId[],
    blobs: new Map<BlobId, Uint8Array>(),
  }
  const handlers: GatewayHandlers = {
    admit: async (auth) => auth.name ?? clientId('nameless'),
    onJoin: async (client) => ({ run: RUN, clientId: client, settings: SETTINGS }),
    onReady: async () => undefined,
    onLeft: (client) => seen.left.push(client),
    onProgress: () => undefined,
    readBlob: async (_client, { id, offset, length }) =>
      seen.blobs.get(id)!.subarray(offset, offset + length),
    checkUpdate: () => UNINSPECTED,
    onUploadProgress: () => undefined,
    onUpdate: async (client, { round, path }) => {
      seen.updates.push({ client, round, bytes: await readFile(path) })
    },
    onEvaluation: () => undefined,
    onDecline: () => undefined,
    ...overrides,
  }
  const uploadFolder = options.uploadFolder ?? join(scratch, 'uploads')
  const gateway = await startGateway(handlers, {
    host: '127.0.0.1',
    port: 0,
    uploadFolder,
    ...options,
  })
  const connections: Connection[] = []
  return {
    gateway,
    handlers,
    seen,
    uploadFolder,
    offer(bytes: Uint8Array): BlobRef {
      const id = sha256(bytes)
      seen.blobs.set(id, bytes)
      return { id, sizeBytes: bytes.length }
    },
    /** A client's connection, closed with the gateway. */
    connect(own: Partial<ConnectionOptions> = {}): Connection {
      const connection = connect({
        servers: [gateway.url],
        auth: AUTH,
        retrySeconds: 20,
        onNews: () => undefined,
        ...own,
      })
      connections.push(connection)
      return connection
    },
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.close()
      await gateway.close()
      await rm(scratch, { recursive: true, force: true })
    },
  }
}

export function announce(bytes: Uint8Array, ofRound = 1): UpdateBegin {
  return { round: round(ofRound), sizeBytes: bytes.length, sha256: sha256(bytes) }
}

export const COMMIT = {
  numExamples: 3,
  classCounts: [1, 2],
  seconds: { train: 0, attribute: 0, upload: 0 },
}

/** Bytes without a pattern that chunk boundaries could hide behind. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed
  for (let i = 0; i < length; i++) bytes[i] = (state = (state * 48271) % 2147483647) & 255
  return bytes
}

/** Resolves with the reason when the connection is over for good. */
export function overOf(connection: Connection): Promise<Error> {
  const { over } = connection
  return new Promise((resolve) => {
    if (over.aborted) resolve(over.reason as Error)
    else over.addEventListener('abort', () => resolve(over.reason as Error), { once: true })
  })
}

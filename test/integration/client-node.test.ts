import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { type NodeOptions, runNode } from '../../client/node/node.ts'
import type { NodeEvent } from '../../client/node/progress.ts'
import type { GatewayHandlers } from '../../server/gateway/gateway.ts'
import { GraftError } from '../../shared/errors.ts'
import type { BlobId, ClientId } from '../../shared/ids.ts'
import { parseArchitecture } from '../../shared/model/architectures.ts'
import { initialWeights } from '../../shared/model/initial-weights.ts'
import { encodeSafetensors } from '../../shared/model/safetensors.ts'
import { weightSpecs } from '../../shared/model/weight-specs.ts'
import { createRng } from '../../shared/numeric/rng.ts'
import type { EvaluationReport } from '../../shared/protocol/messages.ts'
import { decodeUpdate } from '../../shared/protocol/update.ts'
import { blobExamples } from '../support/array-examples.ts'
import { startTestEngine } from '../support/engine.ts'
import { startTcpRelay } from '../support/tcp-relay.ts'
import {
  clientId,
  round,
  RUN,
  SETTINGS,
  sha256,
  startTestGateway,
} from '../support/test-gateway.ts'

const DATA_SHAPE = { inputShape: [4], numClasses: 2 }
const architecture = parseArchitecture(SETTINGS.model, DATA_SHAPE)
const globalModel = encodeSafetensors(initialWeights(architecture, createRng('global')), {
  format: 'graft',
  architecture: architecture.name,
  round: '0',
})

beforeAll(async () => {
  await startTestEngine()
})

describe('runNode', () => {
  it('should join, train, upload, judge the published model and end with the run', async () => {
    const evaluations: EvaluationReport[] = []
    await using federation = await startFederation({
      rounds: 2,
      handlers: { onEvaluation: (_client, report) => evaluations.push(report) },
    })
    const events: NodeEvent[] = []
    const summary = await federation.runNode('client-0', { events })

    expect(summary.rounds).toBe(2)
    expect(summary.accepted.map((outcome) => outcome.round)).toEqual([1, 2])
    expect(evaluations.map((report) => [report.round, report.numExamples])).toEqual([
      [1, 10],
      [2, 10],
    ])
    expect(new Set(events.map((event) => event.type))).toEqual(
      new Set(['joined', 'progress', 'accepted', 'evaluated', 'finished']),
    )

    const update = federation.decodeUpdate('client-0', 1)
    expect(update).toMatchObject({ round: 1, numExamples: 24, classCounts: [12, 12] })
    expect(update.scores.map((scores) => scores.length)).toEqual([3, 2])
    const before = initialWeights(architecture, createRng('global'))
    expect(update.weights[0]!.data).not.toEqual(before[0]!.data)
  })

  it('should say which run it is through with when it stays, and ask again while there is no other', async () => {
    const stop = new AbortController()
    const asked: (string | undefined)[] = []
    await using federation = await startFederation({
      handlers: {
        async onJoin(client, after) {
          asked.push(after)
          if (asked.length === 3) stop.abort(new Error('enough'))
          if (after !== undefined) throw new GraftError('GRAFT_NO_RUN', 'None has begun.')
          return { run: RUN, clientId: client, settings: SETTINGS }
        },
      },
    })
    const node = federation.runNode('client-0', { stays: true, signal: stop.signal })
    await expect(node).rejects.toThrow('enough')
    expect(asked.slice(0, 3)).toEqual([undefined, RUN, RUN])
  })

  it('should send the same bytes whether it runs alone or beside others', async () => {
    await using alone = await startFederation({})
    await alone.runNode('client-0')
    await using crowd = await startFederation({ clients: 3 })
    await Promise.all(['client-0', 'client-1', 'client-2'].map((name) => crowd.runNode(name)))
    expect(crowd.bytesOf('client-0', 1)).toEqual(alone.bytesOf('client-0', 1))
    expect(crowd.bytesOf('client-1', 1)).not.toEqual(alone.bytesOf('client-0', 1))
  })

  it('should neither remember nor share a blob that is for itself alone', async () => {
    const correction = { add: filled(1), subtract: filled(2) }
    await using federation = await startFederation({ rounds: 2, correction })
    const shared: string[] = []
    const keepBlob = (id: BlobId, bytes: Uint8Array) => {
      shared.push(id)
      return bytes
    }
    await federation.runNode('client-0', { keepBlob })
    const [model, add, subtract] = [globalModel, correction.add, correction.subtract].map(sha256)
    expect(federation.pulls).toEqual([model, add, subtract, subtract])
    expect(shared).toEqual([model, add])
  })

  it('should ask for small chunks when it is one of many clients', async () => {
    const add = filled(1, { padding: 'x'.repeat(200_000) })
    await using federation = await startFederation({
      correction: { add, subtract: filled(2) },
      handlers: {
        onJoin: async (client) => ({
          run: RUN,
          clientId: client,
          settings: { ...SETTINGS, clients: 1024 },
        }),
      },
    })
    await federation.runNode('client-0')
    expect(federation.pulls.filter((id) => id === sha256(add))).toHaveLength(4)
  })

  it('should not start again when an invitation is repeated after a reconnect', async () => {
    await using federation = await startFederation({})
    await using relay = await startTcpRelay(federation.url)
    let isCut = false
    let started = 0
    const summary = await federation.runNode('client-0', {
      server: relay.url,
      onEvent: (event) => {
        if (event.type !== 'progress') return
        if (event.phase === 'pulling') started++
        if (event.phase !== 'attributing' || isCut) return
        isCut = true
        relay.cut()
      },
    })
    expect(isCut).toBe(true)
    expect(federation.invitations).toBe(2)
    expect(started).toBe(1)
    expect(summary.accepted).toHaveLength(1)
  })

  it('should take no model that is larger than it allows, and pull none', async () => {
    await using federation = await startFederation({})
    const node = runNode({ ...federation.options('client-0'), maxModelBytes: 50 })
    await expect(node).rejects.toMatchObject({ code: 'GRAFT_MODEL_TOO_LARGE' })
    expect(federation.pulls).toEqual([])
  })

  it('should report a refused update and go on with the next round', async () => {
    let refusals = 0
    await using federation = await startFederation({
      rounds: 2,
      refuse: (ofRound) => {
        if (ofRound !== 1) return
        refusals++
        throw new GraftError('GRAFT_NOT_FINITE', 'fc1.kernel[0] is NaN.')
      },
    })
    const events: NodeEvent[] = []
    const summary = await federation.runNode('client-0', { events })
    expect(refusals).toBe(1)
    expect(events.find((event) => event.type === 'refused')).toMatchObject({ round: 1 })
    expect(summary.accepted.map((outcome) => outcome.round)).toEqual([2])
  })

  it('should end with the refusal of its token', async () => {
    await using federation = await startFederation({
      handlers: {
        admit: async () => {
          throw new GraftError('GRAFT_TOKEN_INVALID', 'No such token.')
        },
      },
    })
    await expect(federation.runNode('client-0')).rejects.toMatchObject({
      code: 'GRAFT_TOKEN_INVALID',
    })
  })

  it('should end with the failure of its own data', async () => {
    await using federation = await startFederation({})
    const broken = runNode({
      ...federation.options('client-0'),
      dataFor: async () => {
        throw new GraftError('GRAFT_DATASET_UNKNOWN', 'There is no data set "toy".')
      },
    })
    await expect(broken).rejects.toMatchObject({ code: 'GRAFT_DATASET_UNKNOWN' })
  })

  it('should end with the reason of its signal, in the middle of training', async () => {
    await using federation = await startFederation({})
    const stop = new AbortController()
    const reason = new Error('enough')
    const run = federation.runNode('client-0', {
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === 'progress' && event.phase === 'training') stop.abort(reason)
      },
    })
    await expect(run).rejects.toBe(reason)
    expect(federation.numUpdates()).toBe(0)
  })
})

// Helpers

function filled(value: number, metadata: Record<string, string> = {}): Uint8Array {
  const tensors = initialWeights(architecture, createRng('shapes'))
  return encodeSafetensors(
    tensors.map((tensor) => ({ ...tensor, data: tensor.data.map(() => value) })),
    metadata,
  )
}

interface FederationOptions {
  readonly rounds?: number
  /** Updates that end a round. */
  readonly clients?: number
  readonly handlers?: Partial<GatewayHandlers>
  /** Throws to refuse an update; the round is over then. */
  readonly refuse?: (round: number) => void
  /** What is asked of training. */
  readonly correction?: { readonly add: Uint8Array; readonly subtract: Uint8Array }
}

/** A coordinator of a few lines behind a real gateway: publishes the model it began with. */
async function startFederation(given: FederationOptions) {
  const { rounds = 1, clients = 1, handlers, refuse, correction } = given
  let current = 1
  let invitations = 0
  const pulls: string[] = []
  const updates = new Map<string, Uint8Array>()
  const server = await startTestGateway({
    onReady: async (client) => invite(client),
    readBlob: async (_client, { id, offset, length }) => {
      pulls.push(id)
      return server.seen.blobs.get(id)!.subarray(offset, offset + length)
    },
    onUpdate: async (client, update) => {
      try {
        refuse?.(update.round)
        updates.set(`${client}/${update.round}`, await readFile(update.path))
      } finally {
        if (refuse !== undefined || numUpdatesOf(update.round) === clients) setImmediate(publish)
      }
    },
    ...handlers,
  })
  const model = server.offer(globalModel)
  const training = correction && {
    correction: {
      add: server.offer(correction.add),
      subtract: server.offer(correction.subtract),
    },
  }

  function invite(client: ClientId): void {
    invitations++
    server.gateway.invite(client, {
      ...{ run: RUN, round: round(current), model, ...(training && { training }) },
      deadlineSeconds: 60,
    })
  }

  function publish(): void {
    server.gateway.published({ run: RUN, round: round(current), model, isNew: true })
    if (current++ === rounds) server.gateway.finished({ run: RUN, rounds })
    else server.gateway.connected().forEach(invite)
  }

  function numUpdatesOf(ofRound: number): number {
    return [...updates.keys()].filter((key) => key.endsWith(`/${ofRound}`)).length
  }

  const options = (name: string) => ({
    servers: [server.gateway.url],
    token: 'secret',
    name: clientId(name),
    engineName: 'test',
    retrySeconds: 20,
    dataFor: async () => ({
      train: blobExamples(DATA_SHAPE, 24, name),
      judge: blobExamples(DATA_SHAPE, 10, `${name}-test`),
    }),
  })

  return {
    url: server.gateway.url,
    options,
    /** Blobs of one chunk each, in the order in which they were asked for. */
    pulls,
    get invitations() {
      return invitations
    },
    numUpdates: () => updates.size,
    bytesOf: (name: string, ofRound: number) => updates.get(`${name}/${ofRound}`)!,
    decodeUpdate: (name: string, ofRound: number) =>
      decodeUpdate(updates.get(`${name}/${ofRound}`)!, {
        weights: weightSpecs(architecture),
        widths: [3, 2],
        numClasses: 2,
      }),
    runNode: (
      name: string,
      how: {
        events?: NodeEvent[]
        onEvent?: (event: NodeEvent) => void
        server?: string
        signal?: AbortSignal
        keepBlob?: NodeOptions['keepBlob']
        stays?: boolean
      } = {},
    ) =>
      runNode({
        ...options(name),
        ...(how.server === undefined ? {} : { servers: [how.server] }),
        stays: how.stays === true,
        ...(how.signal === undefined ? {} : { signal: how.signal }),
        ...(how.keepBlob && { keepBlob: how.keepBlob }),
        onProgress: (event) => {
          how.events?.push(event)
          how.onEvent?.(event)
        },
      }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

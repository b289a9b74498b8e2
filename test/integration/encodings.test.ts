import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { pullBlob } from '../../client/node/transfer.ts'
import { parseJournal } from '../../server/coordinator/journal.ts'
import { openBlobs } from '../../server/store/blobs.ts'
import { decodeModel } from '../../shared/model/encoded-model.ts'
import { type Encoding, ENCODINGS } from '../../shared/model/encodings.ts'
import { BlobId, RoundNumber } from '../../shared/ids.ts'
import { decodeSafetensors } from '../../shared/model/safetensors.ts'
import type { Weights } from '../../shared/model/weights.ts'
import { medianOf } from '../../shared/numeric/median.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import { encodeUpdate } from '../../shared/protocol/update.ts'
import { addWeights, asReceived, encodeModel } from '../support/encoded-models.ts'
import { startTestEngine } from '../support/engine.ts'
import { expectWithin } from '../support/expect-within.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'
import { startFederation } from '../support/test-federation.ts'
import { TOY_NETWORK, TOY_WIDTHS, toyUpdate, toyWeights } from '../support/toy-run.ts'

type Narrow = NonNullable<RunSettings['encoding']>

const NARROW = ENCODINGS.filter((name): name is Narrow => name !== 'float32')
/** What is fused is what is published, and nothing hides a difference. */
const SETTINGS = {
  strategy: 'fedavg',
  partition: 'iid',
  controls: 'last',
  publish: 'always',
  tune: { mode: 'none', epochs: 0, learningRate: 0.01, batchSize: 32 },
} satisfies Partial<RunSettings>

let exact: Awaited<ReturnType<typeof train>>

beforeAll(async () => {
  await startTestEngine()
  exact = await train({ rounds: 2 })
})

describe('a federation whose weights travel encoded', () => {
  it.each(NARROW)('should end in %s near where it ends in float32', async (encoding) => {
    const narrow = await train({ rounds: 2, encoding })

    for (const [index, { name, data }] of narrow.model.entries()) {
      const wanted = exact.model[index]!.data
      const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      expectWithin(data, wanted, 0.05 * largest)
      if (name.endsWith('.kernel')) expect(data).not.toEqual(wanted)
    }
    const { published, encoding: cost } = narrow.reports[1]!
    expect(exact.reports[1]).not.toHaveProperty('encoding')
    expect(cost).toMatchObject({ name: encoding })
    expect(Math.abs(cost!.accuracy - published.accuracy)).toBeLessThan(0.1)
    expect(cost!.modelBytes).toBeLessThan(cost!.float32Bytes)
  })

  it('should give the same bytes for the same seed', async () => {
    const [first, second] = [
      await train({ rounds: 1, encoding: 'int8-delta' }),
      await train({ rounds: 1, encoding: 'int8-delta' }),
    ]
    expect(second.model).toEqual(first.model)
  })

  it('should fuse what differences stand for, and publish it exactly', async () => {
    for (const encoding of ['int8-delta', 'float16-delta'] as const) {
      await using folder = await createTemporaryFolder()
      const settings = { ...SETTINGS, encoding, clients: 4, quorum: 4 }
      await using federation = await startFederation({ home: folder.path, settings })
      const seeds = ['a', 'b', 'c', 'd']
      const puppets = await Promise.all(seeds.map((seed) => federation.puppet(seed)))
      const invited = await Promise.all(puppets.map((puppet) => puppet.hears('round:invited')))
      const [ada] = puppets as [(typeof puppets)[number]]
      const [{ run, model }] = invited as [(typeof invited)[number]]
      // Encoded once for all.
      expect(new Set(invited.map((message) => message.model.id))).toEqual(new Set([model.id]))
      const start = decodeModel(await pullBlob(ada.connection, model), toyWeights(''), encoding)
      const differences = seeds.map((seed) => small(toyWeights(seed)))
      for (const [k, puppet] of puppets.entries()) {
        await puppet.send(encoded(encoding, differences[k]!, model.id))
      }
      const [report] = await federation.reports

      const received = differences.map((of) => asReceived(of, encoding))
      const parents = received.map((of) => addWeights(of, start))
      const global = await publishedBy(federation.store, run, folder.path)
      for (const [index, { data }] of global.entries()) {
        const wanted = data.map(
          (_, i) => parents.reduce((sum, weights) => sum + weights[index]!.data[i]!, 0) / 4,
        )
        expectWithin(data, wanted, 1e-6)
      }
      // What training has changed, not what rounding the model has.
      expect(report!.checks!.median!.norm).toBeCloseTo(medianOf(received.map(normOf)), 5)
    }
  })

  it('should offer after a restart the same start, and take differences to it', async () => {
    await using folder = await createTemporaryFolder()
    const settings = { ...SETTINGS, encoding: 'int8-delta' } as const
    const update = (base: BlobId, seed: string) =>
      encoded('int8-delta', small(toyWeights(seed)), base)
    let before: BlobId
    {
      await using stopped = await startFederation({ home: folder.path, settings })
      const [ada] = [await stopped.puppet('ada'), await stopped.puppet('bob')]
      const { model } = await ada.hears('round:invited')
      before = model.id
      await ada.send(update(before, 'a'))
      stopped.stop(new Error('stopped'))
      await expect(stopped.reports).rejects.toThrow('stopped')
    }
    await using federation = await startFederation({ home: folder.path, settings })
    const bob = await federation.puppet('bob')
    const { model } = await bob.hears('round:invited')
    expect(model.id).toBe(before)
    // Trained before the coordinator was stopped.
    await bob.send(update(before, 'b'))
    const [report] = await federation.reports
    expect(report).toMatchObject({ uploads: 2, encoding: { name: 'int8-delta' } })
  })

  it('should publish the same when a client is killed in the middle and comes back', async () => {
    const calm = await train({ encoding: 'int8-delta' })
    await using folder = await createTemporaryFolder()
    const settings = { ...SETTINGS, encoding: 'int8-delta' } as const
    await using federation = await startFederation({ home: folder.path, settings })
    const kill = new AbortController()
    const killed = federation.node(1, {
      signal: kill.signal,
      onEvent: (event) => {
        if (event.type === 'progress' && event.phase === 'training') kill.abort(new Error('killed'))
      },
    })
    const survivor = federation.node(0)
    await expect(killed).rejects.toThrow('killed')
    await federation.shown('client-1: away')
    await Promise.all([survivor, federation.node(1)])
    const [report] = await federation.reports
    expect(report!.published.modelSha256).toBe(calm.reports[0]!.published.modelSha256)
  })

  it('should set aside what is encoded otherwise, or differs from another model', async () => {
    await using folder = await createTemporaryFolder()
    const settings = { ...SETTINGS, encoding: 'int8-delta' } as const
    await using federation = await startFederation({ home: folder.path, settings })
    const [ada, bob] = [await federation.puppet('ada'), await federation.puppet('bob')]
    const { model } = await ada.hears('round:invited')
    const weights = small(toyWeights('a'))
    const other = BlobId.parse('ab'.repeat(32))
    const refusals = [
      [toyUpdate('a'), 'The update is float32; this run has int8-delta.'],
      [encoded('int8', weights), 'The update is int8; this run has int8-delta.'],
      [encoded('int8-delta', weights), 'does not say what its weights are differences to'],
      [encoded('int8-delta', weights, other), `The update says base "${other}"`],
    ] as const
    for (const [update, problem] of refusals) {
      await expect(ada.send(update)).rejects.toMatchObject({
        code: 'GRAFT_MESSAGE_INVALID',
        message: expect.stringContaining(problem) as string,
      })
    }
    const scale = encoded('int8-delta', weights, model.id)
    const at = Buffer.from(scale.bytes).readUInt32LE(0) + 8
    new DataView(scale.bytes.buffer).setFloat32(at, NaN, true)
    await expect(ada.send(scale)).rejects.toMatchObject({ code: 'GRAFT_NOT_FINITE' })
    expect(await readdir(join(folder.path, 'quarantine'))).toHaveLength(5)

    const admin = 'operator:admin'
    for (const { id } of await federation.operations.quarantine()) {
      await expect(federation.operations.releaseUpload(id, admin)).rejects.toMatchObject({
        code: 'GRAFT_ACTION_REFUSED',
      })
    }
    await Promise.all(
      [ada, bob].map((puppet) => puppet.send(encoded('int8-delta', weights, model.id))),
    )
    expect((await federation.reports)[0]).toMatchObject({ uploads: 2 })
  })
})

// Helpers

async function train(settings: Partial<RunSettings>) {
  await using folder = await createTemporaryFolder()
  const all = { ...SETTINGS, ...settings }
  await using federation = await startFederation({ home: folder.path, settings: all })
  await Promise.all([federation.node(0), federation.node(1)])
  const reports = await federation.reports
  const blobs = await openBlobs(join(folder.path, 'blobs'))
  const id = BlobId.parse(reports.at(-1)!.published.modelSha256)
  const { tensors, metadata } = decodeSafetensors(await blobs.get(id))
  if (all.encoding !== undefined) {
    // Clients got one file of it, which lies beside what is stored.
    const file = encodeModel(tensors, metadata, all.encoding)
    expect(file.length).toBe(reports.at(-1)!.encoding!.modelBytes)
  }
  return { reports, model: tensors }
}

async function publishedBy(
  store: Awaited<ReturnType<typeof startFederation>>['store'],
  run: Parameters<typeof store.readJournal>[0],
  home: string,
): Promise<Weights> {
  const events = parseJournal(await store.readJournal(run)).map(({ event }) => event)
  const [publication] = events.flatMap((event) =>
    event.type === 'model-evaluated' ? [event.publication] : [],
  )
  const blobs = await openBlobs(join(home, 'blobs'))
  return decodeSafetensors(await blobs.get(publication!.blob)).tensors
}

function normOf(weights: Weights): number {
  return Math.hypot(...weights.flatMap(({ data }) => [...data]))
}

/** As what training changes. */
const small = (weights: Weights): Weights =>
  weights.map((weight) => ({ ...weight, data: weight.data.map((value) => value / 100) }))

function encoded(encoding: Encoding, weights: Weights, base?: BlobId) {
  const facts = toyUpdate('any', { weights })
  const bytes = encodeUpdate(
    {
      ...facts,
      round: RoundNumber.parse(facts.round),
      architecture: TOY_NETWORK.name,
      scorer: 'uniform',
      scores: TOY_WIDTHS.map((width) => new Float32Array(width).fill(1)),
      weights,
      ...(base !== undefined && { base }),
    },
    encoding,
  )
  return { ...facts, bytes }
}

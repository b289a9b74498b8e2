import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { planRun } from '../../../../server/coordinator/run-plan.ts'
import type { Updates } from '../../../../server/coordinator/round-state.ts'
import { createWorkbench } from '../../../../server/coordinator/workbench.ts'
import { openBlobs } from '../../../../server/store/blobs.ts'
import type { BlobStore } from '../../../../server/store/store.ts'
import { type BlobId, ClientId, RoundNumber } from '../../../../shared/ids.ts'
import { subtractWeights } from '../../../../shared/model/delta.ts'
import { decodeModel } from '../../../../shared/model/encoded-model.ts'
import { isDelta } from '../../../../shared/model/encodings.ts'
import { drawWeights } from '../../../../shared/model/initial-weights.ts'
import { decodeSafetensors } from '../../../../shared/model/safetensors.ts'
import { BLOCK_LENGTH } from '../../../../shared/model/weight-reader.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import type { RunSettings } from '../../../../shared/protocol/run-settings.ts'
import { encodeUpdate } from '../../../../shared/protocol/update.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'
import { TOY_DATASET, TOY_SETTINGS } from '../../../support/toy-run.ts'

/** Its second kernel is larger than a block, a byte for each weight as well. */
const SETTINGS: RunSettings = {
  ...TOY_SETTINGS,
  model: 'mlp:6-2100-2100-4',
  strategy: 'fedavgm',
  rounds: 2,
  controls: 'last',
  tune: { ...TOY_SETTINGS.tune, mode: 'none' },
}
const BLOCK_BYTES = 4 * BLOCK_LENGTH
const round = RoundNumber.parse(1)

beforeAll(startTestEngine)

describe('a round of a network that is larger than a block', () => {
  it.each(['float32', 'int8-delta'] as const)(
    'should hold a block of a stored network at once, in %s',
    { timeout: 60_000 },
    async (encoding) => {
      await using folder = await createTemporaryFolder()
      const held: number[] = []
      const whole = await openBlobs(join(folder.path, 'blobs'))
      const settings = { ...SETTINGS, ...(encoding !== 'float32' && { encoding }) }
      const plan = planRun(settings, TOY_DATASET, null)
      const bench = createWorkbench(plan, watched(whole, held))
      try {
        const globalModel = await bench.putInitialModel()
        const base = await bench.putForClients(globalModel)
        const updates = await putUpdates(whole, { plan, base, encoding })
        const past = { round, globalModel, state: null }
        const fused = await bench.fuse(past, updates)
        const tuned = await bench.tune(round, updates, fused)
        const { published } = await bench.evaluate({ updates, fused, tuned }, past)
        const { tensors } = decodeSafetensors(await whole.get(fused.blob))
        expect(tensors.map(({ name }) => name)).toEqual(
          plan.network.weights.map(({ name }) => name),
        )
        expect(published.accuracy).toBeGreaterThan(0)
        expect(await whole.sizeOf(fused.blob)).toBeGreaterThan(BLOCK_BYTES)
        expect(held.length).toBeGreaterThan(10)
        expect(Math.max(...held)).toBeLessThanOrEqual(BLOCK_BYTES)
      } finally {
        bench.dispose()
      }
    },
  )
})

// Helpers

/** Notes the bytes of every piece that is read or written. */
function watched(blobs: BlobStore, held: number[]): BlobStore {
  return {
    ...blobs,
    put: async (bytes) => {
      held.push(bytes.length)
      return blobs.put(bytes)
    },
    get: async (id) => {
      const bytes = await blobs.get(id)
      held.push(bytes.length)
      return bytes
    },
    open: async (id) => {
      const { sizeBytes, read } = await blobs.open(id)
      return {
        sizeBytes,
        async read(offset, target) {
          held.push(target.length)
          await read(offset, target)
        },
      }
    },
    create: async () => {
      const draft = await blobs.create()
      return {
        ...draft,
        async write(bytes) {
          held.push(bytes.length)
          await draft.write(bytes)
        },
      }
    },
  }
}

async function putUpdates(
  blobs: BlobStore,
  {
    plan,
    base,
    encoding,
  }: { plan: ReturnType<typeof planRun>; base: BlobId; encoding: 'float32' | 'int8-delta' },
): Promise<Updates> {
  const shapes = plan.network.weights
  const start = decodeModel(await blobs.get(base), shapes, encoding)
  const facts = { numExamples: 10, classCounts: [4, 3, 2, 1] }
  const entries = ['ada', 'bob'].map(async (name) => {
    const weights = drawWeights(shapes, createRng(name))
    const bytes = encodeUpdate(
      {
        ...{ ...facts, round, scores: [], scorer: 'uniform', architecture: plan.network.name },
        weights: isDelta(encoding) ? subtractWeights(weights, start) : weights,
        ...(isDelta(encoding) && { base }),
      },
      encoding,
    )
    const seconds = { train: 0, attribute: 0, upload: 0 }
    const stored = { ...facts, blob: await blobs.put(bytes), sizeBytes: bytes.length, seconds }
    return [ClientId.parse(name), stored] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

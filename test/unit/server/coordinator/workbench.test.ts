import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { openState, readState } from '../../../../server/coordinator/journalled-state.ts'
import { planRun, type RunPlan } from '../../../../server/coordinator/run-plan.ts'
import type { Update, Updates } from '../../../../server/coordinator/round-state.ts'
import { createWorkbench } from '../../../../server/coordinator/workbench.ts'
import { STRATEGIES } from '../../../../server/fusion/strategies.ts'
import type { Strategy } from '../../../../server/fusion/strategy.ts'
import { openBlobs } from '../../../../server/store/blobs.ts'
import type { BlobStore } from '../../../../server/store/store.ts'
import type { Dataset } from '../../../../shared/data/example-set.ts'
import { type BlobId, ClientId, RoundNumber } from '../../../../shared/ids.ts'
import { decodeSafetensors } from '../../../../shared/model/safetensors.ts'
import type { Weights } from '../../../../shared/model/weights.ts'
import type { RunSettings } from '../../../../shared/protocol/run-settings.ts'
import { blobExamples } from '../../../support/array-examples.ts'
import { blobParent } from '../../../support/blob-task.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectWithin } from '../../../support/expect-within.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'
import {
  inspect,
  received,
  TOY_DATASET,
  TOY_SETTINGS,
  toyUpdate,
  toyWeights,
  updateWithNaN,
} from '../../../support/toy-run.ts'

const round = RoundNumber.parse(1)
/** Networks that learnt two classes each, as clients of `labels:2` do. */
let trained: Record<'ada' | 'bob', Weights>

beforeAll(async () => {
  await startTestEngine()
  const [ada, bob] = await Promise.all(
    [['ada', [0, 1]] as const, ['bob', [2, 3]] as const].map(async ([id, classes]) =>
      (await blobParent(id, classes)).load(),
    ),
  )
  trained = { ada: ada!, bob: bob! }
})

/** Strategies that fuse the two parents of these tests. */
const RUNNABLE = Object.values<Strategy>(STRATEGIES)
  .filter(({ isComparison, name }) => isComparison !== true && !/^(trimmed-mean|krum)$/.test(name))
  .map(({ name }) => name)

describe('createWorkbench', () => {
  it.each([
    ['kf-linear', 2, 'level layer1.0.conv2'],
    ['hf-linear', 2, 'level layer1.0.conv2'],
  ])('should refuse at once a model that %s cannot fuse', (strategy, clients, names) => {
    const settings = { ...TOY_SETTINGS, strategy, clients, model: 'resnet18:2' }
    expectRefusal(planRun(settings, IMAGES, null), 'GRAFT_STRATEGY_UNSUITABLE', names)
  })

  it('should refuse at once more clients than the strategy fuses', () => {
    const plan = planRun({ ...TOY_SETTINGS, strategy: 'hf-linear', clients: 3 }, TOY_DATASET, null)
    expectRefusal(plan, 'GRAFT_STRATEGY_UNKNOWN', 'two parents, and there are 3')
  })

  it('should refuse at once a quorum of fewer clients than the strategy needs', () => {
    const settings = { ...TOY_SETTINGS, strategy: 'krum', clients: 5 }
    const plan = planRun({ ...settings, quorum: 4 }, TOY_DATASET, null)
    expectRefusal(plan, 'GRAFT_STRATEGY_UNKNOWN', 'needs 5 parents or more (2f + 3)')
    expect(() =>
      createWorkbench(
        planRun({ ...settings, quorum: 5 }, TOY_DATASET, null),
        {} as BlobStore,
      ).dispose(),
    ).not.toThrow()
  })
})

describe('inspectUpdate', () => {
  it('should accept an update of this run', async () => {
    await using bench = await openBench()
    const update = toyUpdate('a')
    expect(() => inspect(bench, update)).not.toThrow()
  })

  it.each([
    { case: 'NaN', code: 'GRAFT_NOT_FINITE', update: updateWithNaN('a') },
    {
      case: 'another shape',
      code: 'GRAFT_SHAPE_MISMATCH',
      update: toyUpdate('a', { weights: toyWeights('a').slice(1) }),
    },
    {
      case: 'other classes',
      code: 'GRAFT_SHAPE_MISMATCH',
      update: toyUpdate('a', { classCounts: [5, 5] }),
    },
    {
      case: 'a cut file',
      code: 'GRAFT_MODEL_FILE_INVALID',
      update: { ...toyUpdate('a'), bytes: toyUpdate('a').bytes.subarray(0, -1) },
    },
    {
      case: 'another architecture of the same shapes',
      code: 'GRAFT_MESSAGE_INVALID',
      update: toyUpdate('a', { architecture: 'lenet' }),
    },
    {
      case: 'scores of another scorer than the run asks for',
      code: 'GRAFT_MESSAGE_INVALID',
      update: toyUpdate('a', { scorer: 'conductance' }),
    },
    ...[{ numExamples: 11 }, { classCounts: [10, 0, 0, 0] }, { round: RoundNumber.parse(2) }].map(
      (changes) => ({
        case: `a file that does not say ${JSON.stringify(changes)}`,
        code: 'GRAFT_MESSAGE_INVALID',
        update: { ...toyUpdate('a'), ...changes },
      }),
    ),
  ])('should refuse $case with $code', async ({ update, code }) => {
    await using bench = await openBench()
    const check = () => inspect(bench, update)
    expect(check).toThrow(expect.objectContaining({ code }))
  })

  it('should leave room for the longest honest update, and little more', async () => {
    await using bench = await openBench()
    const longest = toyUpdate('a', {
      round: 100_000,
      numExamples: 4e9,
      classCounts: [1e9, 1e9, 1e9, 1e9],
    })
    expect(bench.maxUpdateBytes).toBeGreaterThanOrEqual(longest.bytes.length)
    expect(bench.maxUpdateBytes).toBeLessThan(longest.bytes.length + 400)
  })
})

describe('the stages of a round', () => {
  it('should judge the model that stays as a coordinator does that has just started, without reading it', async () => {
    await using bench = await openBench()
    const { fused, tuned, judgement } = await bench.conduct()
    const { modelSha256 } = judgement.published
    const next = { ...bench.past, round: RoundNumber.parse(2), globalModel: modelSha256 }
    const candidates = { updates: await bench.putUpdates(), fused, tuned }
    const read = vi.spyOn(bench.blobs, 'open')
    const again = await bench.evaluate(candidates, next)
    expect(read).toHaveBeenCalled()
    expect(read.mock.calls.filter(([id]) => id === modelSha256)).toEqual([])

    await using fresh = await openBench()
    const updates = await fresh.putUpdates()
    const same = await fresh.fuse(fresh.past, updates)
    await fresh.tune(round, updates, same)
    const first = await fresh.evaluate(candidates, next)
    expect({ ...again, seconds: 0 }).toEqual({ ...first, seconds: 0 })
  })

  it('should give the same models twice, byte for byte', async () => {
    const runs = []
    for (let i = 0; i < 2; i++) {
      await using bench = await openBench({ tune: { ...TOY_SETTINGS.tune, mode: 'both' } })
      const { fused, tuned, judgement } = await bench.conduct()
      const judged = { ...judgement, seconds: 0 }
      runs.push({ fused: fused.blob, tuned: tuned.blob, judged })
    }
    expect(runs[1]).toEqual(runs[0])
  })

  it('should not depend on the order in which updates came', async () => {
    await using bench = await openBench()
    const updates = await bench.putUpdates()
    const reversed = Object.fromEntries(Object.entries(updates).reverse()) as Updates
    expect((await bench.fuse(bench.past, reversed)).blob).toBe(
      (await bench.fuse(bench.past, updates)).blob,
    )
  })

  it.each(RUNNABLE)(
    'should store whose neurons %s fused, and say what it is at',
    async (strategy) => {
      await using bench = await openBench({
        strategy,
        // The one that every strategy takes.
        training: { ...TOY_SETTINGS.training, optimizer: 'plain-sgd' },
        tune: { ...TOY_SETTINGS.tune, mode: 'none' },
      })
      const before = tf.memory().numTensors
      const details: string[] = []
      const updates = await bench.putUpdates()
      const fused = await bench.fuse(bench.past, updates, (detail) => details.push(detail))
      expect(tf.memory().numTensors).toBe(before)

      const ledger = await bench.ledgerOf(fused)
      expect(ledger?.parents).toEqual(['ada', 'bob'])
      expect(ledger?.groups.map(({ name, neurons }) => [name, neurons.length])).toEqual([
        ['fc1', 12],
      ])
      const stored = JSON.parse(
        Buffer.from(await bench.blobs.get(fused.ledger!)).toString(),
      ) as unknown
      expect(stored).toEqual(ledger)
      const compared = ['looking at ada', 'looking at bob', 'comparing ada and bob']
      expect(details.slice(0, 3)).toEqual(compared)
      expect(fused.diversity).toMatchObject({ levels: ['fc1', 'fc2'], parents: ['ada', 'bob'] })
      const hasLevels = strategy.includes('linear') || strategy.includes('gradient')
      if (strategy === 'auto') expect(details).toContain('trying kf-linear')
      else {
        const levels = hasLevels ? ['level 1 of 2, fc1', 'level 2 of 2, fc2'] : []
        if (strategy === 'feddf') levels.push('asking ada', 'asking bob', 'distilling')
        expect(details.slice(3)).toEqual(levels)
      }
      expect((await bench.fuse(bench.past, updates)).ledger).toBe(fused.ledger)
    },
  )

  it.each(['as they came in', 'as they lie on disk'])(
    'should give strategies what clients sent, and their scores, %s',
    async (from) => {
      await using bench = await openBench({ strategy: 'nt:importance=attribution' })
      const likes = (neuron: number) => [
        Float32Array.from({ length: 12 }, (_, i) => (i === neuron ? 9 : 1)),
        new Float32Array(4).fill(1),
      ]
      const updates = await bench.putUpdates(trained, { ada: likes(3), bob: likes(8) })
      const ofClients = Object.values<Update>(updates)
      for (const { blob, numExamples, classCounts } of from === 'as they came in'
        ? ofClients
        : []) {
        const bytes = await bench.blobs.get(blob)
        inspect(bench, { round, numExamples, classCounts: [...classCounts], bytes })
      }
      const reads = countReads(bench.blobs, ofClients[0]!.blob)
      const fused = await bench.fuse(bench.past, updates)
      const first = reads()
      const ledger = await bench.ledgerOf(fused)
      const chosen = ledger?.groups[0]?.neurons.flat() ?? []
      // 9 beside eleven ones, relative to their mean of 20 / 12.
      expect(chosen).toContainEqual([0, 3, 1, 5.4])
      expect(chosen).toContainEqual([1, 8, 1, 5.4])
      // The second time for the same network: nothing is remembered for longer than a fusion.
      await bench.fuse(bench.past, updates)
      const again = reads() - first
      expect(again).toBeGreaterThan(0)
      expect(first).toBe(from === 'as they came in' ? 0 : again)
    },
  )

  it('should say why a strategy chose so, and know no ledger of what none was written for', async () => {
    await using bench = await openBench()
    const { ada } = (await bench.putUpdates()) as Record<string, Update>
    const fused = await bench.fuse(bench.past, { [ClientId.parse('ada')]: ada! })
    expect(fused.reason).toBe('There is one parent, and it comes out as it went in.')
    expect(await bench.ledgerOf({ blob: fused.blob, seconds: 1 })).toBeUndefined()
  })

  it('should write into a model what it was made of', async () => {
    await using bench = await openBench()
    const { blob } = await bench.fuse(bench.past, await bench.putUpdates())
    const { metadata, tensors } = decodeSafetensors(await readFile(bench.blobs.pathOf(blob)))
    expect(metadata).toEqual({
      format: 'graft',
      architecture: 'mlp:6-12-4',
      round: '1',
      num_examples: '20',
      class_counts: '[5,5,5,5]',
    })
    expect(tensors.map(({ shape }) => shape)).toEqual(toyWeights('a').map(({ shape }) => shape))
  })

  it('should publish a tuned model that beats the untrained one, and score it on the test split', async () => {
    await using bench = await openBench({ tune: { ...TOY_SETTINGS.tune, epochs: 20 } })
    const { tuned, judgement, details } = await bench.conduct()
    expect(tuned).toMatchObject({ isTuned: true })
    expect(judgement.publication).toEqual({ blob: tuned.blob, isNew: true })
    expect(judgement.published).toMatchObject({ candidate: 'tuned', isNew: true })
    expect(details).toEqual(expect.arrayContaining(['epoch 1', 'best parent + fine-tuning']))
    expect(judgement.published.accuracy).toBe(judgement.tuned.accuracy)
    expect(judgement.parents.map(({ client }) => client)).toEqual(['ada', 'bob'])
    expect(['ada', 'bob']).toContain(judgement.controls.bestParentTuned?.parent)
  })

  it('should train a network on the proxy set alone in the first round alone', async () => {
    await using bench = await openBench()
    const [first, second] = [await bench.conduct(), await bench.conduct()]
    expect(first.details).toContain('proxy set alone')
    expect(second.details).not.toContain('proxy set alone')
    expect(second.judgement.controls).toEqual(first.judgement.controls)
  })

  it.each([
    { case: 'each round', changes: { rounds: 3 }, isMeasured: true },
    { case: 'the last round', changes: { controls: 'last' }, isMeasured: true },
    { case: 'no round', changes: { controls: 'none' }, isMeasured: false },
    {
      case: 'a round before the last',
      changes: { controls: 'last', rounds: 3 },
      isMeasured: false,
    },
    {
      case: 'the round that reaches the target',
      changes: { controls: 'last', rounds: 3, targetAccuracy: 0.01 },
      isMeasured: true,
    },
  ] as const)('should measure controls as told: $case', async ({ changes, isMeasured }) => {
    await using bench = await openBench(changes)
    const { fused, judgement } = await bench.conduct()
    expect(judgement.parents).toHaveLength(isMeasured ? 2 : 0)
    for (const control of Object.values(judgement.controls)) {
      expect(control === null).toBe(!isMeasured)
    }
    expect(judgement.fused.accuracy).toBeGreaterThan(0)
    // It is measured before anybody knows whether the target is reached.
    const isForeseen = isMeasured && !('targetAccuracy' in changes)
    expect(fused.diversity !== undefined).toBe(isForeseen)
  })

  it('should keep the global model when every candidate is worse', async () => {
    await using bench = await openBench({ tune: { ...TOY_SETTINGS.tune, epochs: 20 } })
    const { tuned: good } = await bench.conduct()
    const poor = await bench.putUpdates({ ada: toyWeights('a'), bob: toyWeights('b') })
    const fused = await bench.fuse(bench.past, poor)
    const untuned = { ...fused, isTuned: false, epochs: 0 }
    const past = { round, globalModel: good.blob, state: good.blob }
    const judgement = await bench.evaluate({ updates: poor, fused, tuned: untuned }, past)
    // What the strategy remembers belongs to the model that stays.
    expect(judgement.publication).toEqual({ blob: good.blob, isNew: false, state: good.blob })
    expect(judgement.published).toMatchObject({
      candidate: 'kept',
      isNew: false,
      modelSha256: good.blob,
      reason: expect.stringContaining('does not beat'),
    })
    expect(judgement.published.accuracy).toBeGreaterThan(judgement.fused.accuracy)
  })

  it('should give the fused model back when tuning is off', async () => {
    await using bench = await openBench({ tune: { ...TOY_SETTINGS.tune, mode: 'none' } })
    const { fused, tuned } = await bench.conduct()
    expect(tuned).toMatchObject({ blob: fused.blob, isTuned: false, epochs: 0 })
  })

  it('should leave no tensor behind', async () => {
    const before = tf.memory().numTensors
    {
      await using bench = await openBench({ tune: { ...TOY_SETTINGS.tune, mode: 'both' } })
      await bench.conduct()
      const between = tf.memory().numTensors
      await bench.conduct()
      expect(tf.memory().numTensors).toBe(between)
    }
    expect(tf.memory().numTensors).toBe(before)
  })

  it('should give a strategy the global model, and what it remembered with it', async () => {
    await using bench = await openBench({ strategy: 'fedavgm:beta=0.5' })
    const updates = await bench.putUpdates()
    const remembered = async (blob: BlobId) => {
      const stored = await readState(bench.blobs, blob)
      return (await openState(bench.blobs, stored)['momentum']!.load())[0]!.data[0]!
    }
    const first = await bench.fuse(bench.past, updates)
    const second = await bench.fuse({ ...bench.past, state: first.state! }, updates)
    // The same step wanted twice, from the same model: v = 0.5 v + delta.
    expect(await remembered(second.state!)).toBeCloseTo(1.5 * (await remembered(first.state!)), 6)
    expect(second.blob).not.toBe(first.blob)
    const again = await bench.fuse({ ...bench.past, state: first.state! }, updates)
    expect({ ...again, seconds: 0 }).toEqual({ ...second, seconds: 0 })
    const tuned = { ...second, isTuned: false, epochs: 0 }
    const { publication } = await bench.evaluate({ updates, fused: second, tuned }, bench.past)
    expect(publication).toEqual({ blob: second.blob, isNew: true, state: second.state })
  })

  it('should say what the strategy asks of local training', async () => {
    await using prox = await openBench({ strategy: 'fedprox:mu=0.1' })
    const ada = ClientId.parse('ada')
    expect((await prox.trainingRequests(prox.past))(ada)).toEqual({ proximal: 0.1 })
    await using nothing = await openBench({ strategy: 'fedavg' })
    expect((await nothing.trainingRequests(nothing.past))(ada)).toBeUndefined()
  })

  it.each([
    { rehearse: false, steps: 1 },
    // 10 examples of one's own and 64 of the proxy set, 32 a step.
    { rehearse: true, steps: 3 },
  ])('should ask for a correction by what clients were told: $rehearse', async (told) => {
    const { rehearse, steps } = told
    const training = {
      ...TOY_SETTINGS.training,
      optimizer: 'plain-sgd',
      learningRate: 0.1,
    } as const
    await using bench = await openBench({ strategy: 'scaffold', rehearse, training })
    const [ada, eve] = [ClientId.parse('ada'), ClientId.parse('eve')]
    expect((await bench.trainingRequests(bench.past))(ada)).toBeUndefined()

    const { state } = await bench.fuse(bench.past, await bench.putUpdates())
    const stored = await readState(bench.blobs, state!)
    expect(Object.keys(stored)).toEqual(['control', 'control/ada', 'control/bob'])
    const refOf = async (id: BlobId) => ({ id, sizeBytes: await bench.blobs.sizeOf(id) })
    const add = await refOf(stored['control']!)
    const requests = await bench.trainingRequests({ ...bench.past, state: state! })
    expect(requests(ada)).toEqual({
      correction: { add, subtract: await refOf(stored['control/ada']!) },
    })
    expect(requests(eve)).toEqual({ correction: { add } })

    const [kernel] = await openState(bench.blobs, stored)['control/ada']!.load()
    const [x] = decodeSafetensors(await bench.blobs.get(bench.past.globalModel)).tensors
    expectWithin(
      kernel!.data,
      x!.data.map((value, i) => (value - trained.ada[0]!.data[i]!) / (steps * 0.1)),
      1e-5,
    )
  })

  it('should stop fusing for the reason of its signal', async () => {
    const stop = new AbortController()
    await using bench = await openBench({ strategy: 'kf-gradient' }, stop.signal)
    const before = tf.memory().numTensors
    const fused = bench.fuse(bench.past, await bench.putUpdates(), (detail) => {
      if (detail.startsWith('level 2')) stop.abort(new Error('enough'))
    })
    await expect(fused).rejects.toThrow('enough')
    expect(tf.memory().numTensors).toBe(before)
  })

  it('should stop tuning for the reason of its signal', async () => {
    const stop = new AbortController()
    await using bench = await openBench({}, stop.signal)
    const updates = await bench.putUpdates()
    const fused = await bench.fuse(bench.past, updates)
    stop.abort(new Error('enough'))
    await expect(bench.tune(round, updates, fused)).rejects.toThrow('enough')
  })
})

describe('putInitialModel', () => {
  it('should store the same bytes every time: the model given, or an untrained one', async () => {
    await using bench = await openBench()
    const id = await bench.putInitialModel()
    expect(await bench.putInitialModel()).toBe(id)
    const { tensors, metadata } = decodeSafetensors(await bench.blobs.get(id))
    expect(tensors).toEqual(planRun(TOY_SETTINGS, TOY_DATASET, null).untrained())
    expect(metadata).toMatchObject({ round: '0', num_examples: '0', class_counts: '[0,0,0,0]' })
  })
})

// Helpers

const IMAGES: Dataset = {
  name: 'images',
  train: blobExamples({ inputShape: [16, 16, 1], numClasses: 4 }, 240, 'train'),
  test: blobExamples({ inputShape: [16, 16, 1], numClasses: 4 }, 40, 'test'),
}

function expectRefusal(plan: RunPlan, code: string, names: string): void {
  const before = tf.memory().numTensors
  const create = () => createWorkbench(plan, {} as BlobStore)
  expect(create).toThrow(
    expect.objectContaining({ code, problem: expect.stringContaining(names) as unknown }),
  )
  expect(tf.memory().numTensors).toBe(before)
}

/** How often something was read of a blob from now on. */
function countReads(blobs: BlobStore, of: BlobId): () => number {
  const open = blobs.open.bind(blobs)
  let count = 0
  vi.spyOn(blobs, 'open').mockImplementation(async (id) => {
    const opened = await open(id)
    if (id !== of) return opened
    return {
      ...opened,
      read(offset, target) {
        count++
        return opened.read(offset, target)
      },
    }
  })
  return () => count
}

async function openBench(changes: Partial<RunSettings> = {}, signal?: AbortSignal) {
  const folder = await createTemporaryFolder()
  const blobs = await openBlobs(join(folder.path, 'blobs'))
  const plan = planRun({ ...TOY_SETTINGS, ...changes }, TOY_DATASET, null)
  const bench = createWorkbench(plan, blobs, signal)
  const past = { round, globalModel: await bench.putInitialModel(), state: null }

  async function conduct() {
    const updates = await putUpdates(blobs)
    const fused = await bench.fuse(past, updates)
    const details: string[] = []
    const note = (detail: string) => details.push(detail)
    const tuned = await bench.tune(round, updates, fused, note)
    const judgement = await bench.evaluate({ updates, fused, tuned }, past, note)
    return { fused, tuned, judgement, details }
  }

  return {
    ...bench,
    blobs,
    past,
    conduct,
    putUpdates: (weights?: typeof trained, scores?: Scores) => putUpdates(blobs, weights, scores),
    async [Symbol.asyncDispose]() {
      bench.dispose()
      await folder[Symbol.asyncDispose]()
    },
  }
}

type Scores = Record<keyof typeof trained, readonly Float32Array[]>

async function putUpdates(blobs: BlobStore, weights = trained, scores?: Scores): Promise<Updates> {
  const counts = { ada: [5, 5, 0, 0], bob: [0, 0, 5, 5] }
  const entries = (['ada', 'bob'] as const).map(async (name) => {
    const update = toyUpdate(name, {
      weights: weights[name],
      classCounts: counts[name],
      ...(scores && { scores: scores[name] }),
    })
    const { numExamples, classCounts, bytes } = update
    const { seconds } = received(update)
    const blob = await blobs.put(bytes)
    const stored = { blob, numExamples, classCounts, seconds, sizeBytes: bytes.length }
    return [ClientId.parse(name), stored] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

import type * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fedavg } from '../../../../server/fusion/fedavg.ts'
import type { Parent } from '../../../../server/fusion/strategy.ts'
import { type ControlsInput, runControls } from '../../../../server/proxy/controls.ts'
import { askParents, type Opinion } from '../../../../server/proxy/ensemble.ts'
import { splitProxy } from '../../../../server/proxy/split-proxy.ts'
import { createTeacher, type Teacher } from '../../../../server/proxy/teacher.ts'
import { tune } from '../../../../server/proxy/tune.ts'
import { neuronGraph } from '../../../../shared/model/neuron-graph.ts'
import { type Weights, writeWeights } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { evaluate } from '../../../../shared/training/evaluate.ts'
import { blobModel, blobParent, blobs, untrainedBlob } from '../../../support/blob-task.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'
import { fusionOf } from '../../../support/plain-networks.ts'

const TEST = blobs('test', 200)
const PROXY = splitProxy(blobs('proxy', 60), createRng('split'))
const SETTINGS = { mode: 'both', epochs: 5, learningRate: 0.02, batchSize: 16 } as const

let model: tf.LayersModel
let parents: Parent[]
let teacher: Teacher

beforeAll(async () => {
  await startTestEngine()
  model = blobModel()
  parents = [await blobParent('a', [0, 1]), await blobParent('b', [1, 2, 3])]
  const [heldOut] = await askParents(model, parents, [PROXY.heldOut])
  teacher = createTeacher({
    ...{ model, parents, train: PROXY.train, heldOut: heldOut!.ensemble },
    ...{ epochs: SETTINGS.epochs, rng: createRng('teacher') },
  })
})
afterAll(() => model.dispose())

describe('runControls', () => {
  it('should judge everything on the test set', async () => {
    const controls = await run({})
    const [first, second] = await Promise.all(parents.map((parent) => parent.load()))
    expect(controls.parents).toEqual([
      { id: 'a', ...(await onTest(first!)) },
      { id: 'b', ...(await onTest(second!)) },
    ])
    const average = await fedavg.fuse(fusionOf(parents, neuronGraph(model)))
    expect(controls.average).toEqual(await onTest(average.weights))
  })

  it('should train proxyAlone on the labels alone, whatever the parents know', async () => {
    const alone = await tune({
      model,
      start: untrainedBlob('initial'),
      ...PROXY,
      settings: { ...SETTINGS, mode: 'labels' },
      teacher: null,
      rng: createRng('controls').split('proxyAlone'),
    })
    const expected = await onTest(alone.weights)
    expect((await run({})).proxyAlone).toEqual(expected)
    expect((await run({ settings: { ...SETTINGS, mode: 'distill' } })).proxyAlone).toEqual(expected)
  })

  it('should pick the best parent by the held-out examples, not by the test set', async () => {
    // Only classes 0 and 1 are held out, which parent a knows better, though b is better on the test set.
    const proxy = { train: PROXY.train, heldOut: blobs('held out', 40, [0]) }
    const { bestParentTuned, parents: judged } = await run({ proxy })
    expect(judged[1]!.accuracy).toBeGreaterThan(judged[0]!.accuracy)
    expect(bestParentTuned.id).toBe('a')
  })

  it('should take the opinions it is given instead of asking again', async () => {
    const [heldOut, test] = await askParents(model, parents, [PROXY.heldOut, TEST])
    const opinions = { heldOut: heldOut!, test: test! }
    expect(await run({ opinions })).toEqual(await run({}))
  })

  it('should tune the best parent and the average with the budget of the fused model', async () => {
    const controls = await run({})
    const tuneAlone = async (control: string, start: Weights) => {
      const { weights } = await tune({
        model,
        start,
        ...PROXY,
        settings: SETTINGS,
        teacher,
        rng: createRng('controls').split(control),
      })
      return onTest(weights)
    }
    const { id, ...bestParentTuned } = controls.bestParentTuned
    const best = await parents.find((parent) => parent.id === id)!.load()
    expect(bestParentTuned).toEqual(await tuneAlone('bestParentTuned', best))
    const average = await fedavg.fuse(fusionOf(parents, neuronGraph(model)))
    expect(controls.averageTuned).toEqual(await tuneAlone('averageTuned', average.weights))
  })

  it('should go on without the average when the weights cannot be averaged', async () => {
    const weights = (await parents[1]!.load()).map((tensor) => ({ ...tensor }))
    weights[0] = { ...weights[0]!, data: weights[0]!.data.map((w, i) => (i === 0 ? Infinity : w)) }
    const odd = { ...parents[1]!, load: async () => weights }
    const opinions = await Promise.all(
      [PROXY.heldOut, TEST].map(async (set) => (await askParents(model, parents, [set]))[0]!),
    )
    const [heldOut, test] = opinions as [Opinion, Opinion]
    const controls = await run({ parents: [parents[0]!, odd], opinions: { heldOut, test } })
    expect(controls).toMatchObject({ average: null, averageTuned: null })
  })

  it('should not train on the proxy set alone again what that has made before', async () => {
    const seen: string[] = []
    const known = { accuracy: 0.5, loss: 1, classAccuracy: [1, 0, 1, 0] }
    const onProgress = (control: string) => seen.push(control)
    const controls = await run({ proxyAlone: known, onProgress })
    expect(controls).toEqual({ ...(await run({})), proxyAlone: known })
    expect(seen).not.toContain('proxyAlone')
  })

  it('should say which control it is at', async () => {
    const seen: string[] = []
    await run({ onProgress: (control) => seen.push(control) })
    expect(seen).toEqual(['parents', 'average', 'averageTuned', 'proxyAlone', 'bestParentTuned'])
  })

  it('should leave no tensor alive', async () => {
    await expectNoLeakAsync(() => run({ settings: { ...SETTINGS, epochs: 1 } }))
  })
})

// Helpers

function run(input: Partial<ControlsInput>) {
  return runControls({
    model,
    graph: neuronGraph(model),
    parents,
    initial: () => untrainedBlob('initial'),
    proxy: PROXY,
    test: TEST,
    settings: SETTINGS,
    teacher,
    rng: createRng('controls'),
    ...input,
  })
}

async function onTest(weights: Weights) {
  writeWeights(model, weights)
  return evaluate(model, TEST)
}

import type * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  tune,
  type Teacher,
  type TuneInput,
  type TuneProgress,
} from '../../../../server/proxy/tune.ts'
import type { TuneSettings } from '../../../../shared/protocol/run-settings.ts'
import { readWeights, writeWeights } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { evaluate } from '../../../../shared/training/evaluate.ts'
import { fit } from '../../../../shared/training/fit.ts'
import { blobModel, blobs, untrainedBlob } from '../../../support/blob-task.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'

const TRAIN = blobs('train', 80)
const HELD_OUT = blobs('held out', 40)
const TEST = blobs('test', 400)

let model: tf.LayersModel

beforeAll(async () => {
  await startTestEngine()
  model = blobModel()
})
afterAll(() => model.dispose())

describe('tune', () => {
  it.each(['labels', 'distill', 'both'] as const)(
    'should learn the proxy set: %s',
    async (mode) => {
      const { weights, isTuned, epochs, heldOut } = await run({ mode })
      expect(isTuned).toBe(true)
      expect(epochs).toBeGreaterThan(0)
      const before = await judge(untrainedBlob('start'))
      expect(heldOut.accuracy).toBeGreaterThan(before.heldOut.accuracy + 0.2)
      expect((await judge(weights)).heldOut).toEqual(heldOut)
    },
  )

  it('should leave the model with the weights it returns', async () => {
    const { weights } = await run({})
    expect(await readWeights(model)).toEqual(weights)
  })

  it('should do what one uninterrupted training does, epoch by epoch', async () => {
    const { weights, epochs } = await run({ epochs: 4 })
    writeWeights(model, untrainedBlob('start'))
    await fit(model, TRAIN, {
      epochs,
      batchSize: SETTINGS.batchSize,
      learningRate: SETTINGS.learningRate,
      optimizer: 'adam',
      rng: createRng('tune'),
    })
    expect(await readWeights(model)).toEqual(weights)
  })

  it('should never return a model with a larger held-out loss than it started from', async () => {
    for (const learningRate of [1e-6, 0.01, 0.3, 10]) {
      const start = (await run({})).weights
      const { heldOut } = await judge(start)
      const tuned = await run({ learningRate, epochs: 6 }, { start })
      expect(tuned.heldOut.loss).toBeLessThanOrEqual(heldOut.loss)
    }
  })

  it('should give the start back when tuning only hurts', async () => {
    const start = (await run({})).weights
    const tuned = await run({ learningRate: 5, epochs: 3 }, { start })
    expect(tuned).toMatchObject({ weights: start, isTuned: false, epochs: 0 })
  })

  it('should survive training that diverges', async () => {
    const start = untrainedBlob('start').map((tensor) => ({
      ...tensor,
      data: tensor.data.map((value) => value * 1e25),
    }))
    const tuned = await run({ learningRate: 10, epochs: 3 }, { start })
    expect(tuned).toMatchObject({ weights: start, isTuned: false })
  })

  it('should stop three epochs after the best one', async () => {
    const seen: TuneProgress[] = []
    const { epochs, heldOut } = await run(
      { epochs: 60, learningRate: 0.05 },
      { onProgress: (progress) => seen.push(progress) },
    )
    const losses = seen.map((progress) => progress.heldOut.loss)
    expect(seen.map(({ epoch }) => epoch)).toEqual(losses.map((_, i) => i + 1))
    expect(losses.indexOf(Math.min(...losses)) + 1).toBe(epochs)
    expect(heldOut.loss).toBe(Math.min(...losses))
    expect(seen).toHaveLength(epochs + 3)
    expect(seen.length).toBeLessThan(60)
  })

  it('should do nothing when told so', async () => {
    const start = untrainedBlob('start')
    expect(await run({ mode: 'none' }, { start })).toMatchObject({ weights: start, isTuned: false })
    expect(await run({ epochs: 0 }, { start })).toMatchObject({ weights: start, isTuned: false })
  })

  it('should generalise to examples that neither part has', async () => {
    const { weights } = await run({})
    expect((await judge(weights)).test.accuracy).toBeGreaterThan(0.6)
  })

  it('should give the same bytes again', async () => {
    expect(await run({ mode: 'both' })).toEqual(await run({ mode: 'both' }))
  })

  it('should not ask a teacher that knows less than what the labels have taught', async () => {
    const teacher = { ...perfectTeacher(), heldOut: { accuracy: 0, loss: 9 } }
    const byLabels = await run({ mode: 'labels' })
    expect(await run({ mode: 'both' }, { teacher })).toEqual(byLabels)
    const sure = { ...perfectTeacher(), heldOut: { accuracy: 1.1, loss: 0 } }
    const asked: number[] = []
    await run({ mode: 'both' }, { teacher: sure, onProgress: ({ epoch }) => asked.push(epoch) })
    expect(asked.filter((epoch) => epoch === 1)).toHaveLength(2)
  })

  it('should keep what the labels have taught when a confident teacher misleads', async () => {
    const { labels, numClasses } = TRAIN
    const probabilities = Float32Array.from({ length: labels.length * numClasses }, (_, i) =>
      i % numClasses === (labels[Math.floor(i / numClasses)]! + 1) % numClasses ? 1 : 0,
    )
    const misleading = { probabilities, heldOut: { accuracy: 1.1, loss: 0 } }
    const byLabels = await run({ mode: 'labels' })
    const byBoth = await run({ mode: 'both' }, { teacher: misleading })
    expect(byBoth.heldOut).toEqual(byLabels.heldOut)
    expect((await judge(byBoth.weights)).heldOut).toEqual(byLabels.heldOut)
  })

  it('should need a teacher to distil', async () => {
    await expect(run({ mode: 'both' }, { teacher: null })).rejects.toThrow(RangeError)
    await expect(run({ mode: 'distill' }, { teacher: null })).rejects.toThrow(RangeError)
  })

  it('should stop when aborted', async () => {
    const abort = new AbortController()
    const onProgress = () => abort.abort(new Error('enough'))
    await expect(run({}, { onProgress, signal: abort.signal })).rejects.toThrow('enough')
  })

  it('should leave no tensor alive', async () => {
    await expectNoLeakAsync(() => run({ mode: 'both', epochs: 2 }))
  })
})

// Helpers

const SETTINGS: TuneSettings = { mode: 'labels', epochs: 12, learningRate: 0.02, batchSize: 16 }

function run(settings: Partial<TuneSettings>, input: Partial<TuneInput> = {}) {
  return tune({
    model,
    start: untrainedBlob('start'),
    train: TRAIN,
    heldOut: HELD_OUT,
    settings: { ...SETTINGS, ...settings },
    teacher: perfectTeacher(),
    rng: createRng('tune'),
    ...input,
  })
}

/** 0.91 for the true class, the rest shared. */
function perfectTeacher(): Teacher {
  const { labels, numClasses } = TRAIN
  const probabilities = Float32Array.from({ length: labels.length * numClasses }, (_, i) =>
    i % numClasses === labels[Math.floor(i / numClasses)] ? 0.91 : 0.03,
  )
  return { probabilities, heldOut: { accuracy: 1, loss: 0.1 } }
}

async function judge(weights: Awaited<ReturnType<typeof tune>>['weights']) {
  writeWeights(model, weights)
  return { heldOut: await evaluate(model, HELD_OUT), test: await evaluate(model, TEST) }
}

import type * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { calibrate } from '../../../../server/proxy/calibrate.ts'
import type { Lesson, Teacher } from '../../../../server/proxy/teacher.ts'
import { tune, type TuneInput, type TuneProgress } from '../../../../server/proxy/tune.ts'
import type { ExampleSet } from '../../../../shared/data/example-set.ts'
import type { TuneSettings } from '../../../../shared/protocol/run-settings.ts'
import { readWeights, writeWeights } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { evaluate } from '../../../../shared/training/evaluate.ts'
import { fit } from '../../../../shared/training/fit.ts'
import { predict } from '../../../../shared/training/predict.ts'
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
    const learnt = { weights: await readWeights(model), heldOut: await evaluate(model, HELD_OUT) }
    expect((await calibrate(model, learnt, HELD_OUT)).weights).toEqual(weights)
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
    expect(heldOut.accuracy).toBe(seen[epochs - 1]!.heldOut.accuracy)
    // It was too sure by then.
    expect(heldOut.loss).toBeLessThan(Math.min(...losses))
    expect((await run({ epochs, learningRate: 0.05 })).heldOut).toEqual(heldOut)
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

  it('should ask a teacher only if it is not clearly worse than what the labels have taught', async () => {
    // Some of what judges errs, so that the labels do not teach all of it.
    const labels = HELD_OUT.labels.map((label, i) => (i % 8 === 0 ? (label + 1) % 4 : label))
    const heldOut = { ...HELD_OUT, labels }
    const byLabels = await run({ mode: 'labels' }, { heldOut })
    const { accuracy } = byLabels.heldOut
    const error = Math.sqrt((accuracy * (1 - accuracy)) / labels.length)
    const below = (errors: number): Teacher => ({
      heldOut: { accuracy: accuracy - errors * error, loss: 9 },
      lessons: () => Promise.reject(new Error('asked')),
    })
    expect(await run({ mode: 'both' }, { heldOut, teacher: below(3) })).toEqual(byLabels)
    await expect(run({ mode: 'both' }, { heldOut, teacher: below(1.5) })).rejects.toThrow('asked')
  })

  it('should keep what a teacher has taught when the labels are ahead by chance', async () => {
    const byLabels = await run({ mode: 'labels' })
    writeWeights(model, byLabels.weights)
    // What judges takes the side of the labels' network.
    const logits = await predict(model, HELD_OUT)
    const labels = HELD_OUT.labels.map((_, i) => {
      const row = logits.subarray(4 * i, 4 * (i + 1))
      return row.indexOf(Math.max(...row))
    })
    const heldOut = { ...HELD_OUT, labels }
    const rng = createRng('j')
    const ofLabels = await run({ mode: 'labels' }, { heldOut, rng })
    const teacher = { ...perfectTeacher(), ...SURE }
    const ofBoth = await run({ mode: 'both' }, { heldOut, rng, teacher })
    expect(ofBoth.heldOut.accuracy).toBeLessThan(ofLabels.heldOut.accuracy)
  })

  it('should keep what the labels have taught when a confident teacher misleads', async () => {
    const misleading = { ...teacherOf((label) => (label + 1) % TRAIN.numClasses), ...SURE }
    const byLabels = await run({ mode: 'labels' })
    const byBoth = await run({ mode: 'both' }, { teacher: misleading })
    expect(byBoth.heldOut).toEqual(byLabels.heldOut)
    expect((await judge(byBoth.weights)).heldOut).toEqual(byLabels.heldOut)
  })

  it('should keep a pupil that errs less than the labels, though its errors cost more', async () => {
    // Labels that err half of the time, and a teacher that is right and far too sure; some of what judges errs too.
    const shifted = ({ labels }: ExampleSet, each: number) =>
      labels.map((label, i) => (i % each === 0 ? (label + 1) % TRAIN.numClasses : label))
    const train = { ...TRAIN, labels: shifted(TRAIN, 2) }
    const heldOut = { ...HELD_OUT, labels: shifted(HELD_OUT, 8) }
    const byLabels = await run({ mode: 'labels' }, { train, heldOut })
    const teacher = { ...perfectTeacher(40), ...SURE }
    const byBoth = await run({ mode: 'both', epochs: 60 }, { train, heldOut, teacher })
    expect(byBoth.heldOut.accuracy).toBeGreaterThan(byLabels.heldOut.accuracy)
    expect(byBoth.heldOut.loss).toBeGreaterThan(byLabels.heldOut.loss)
  })

  it('should give the start back when distillation made its held-out loss larger', async () => {
    const start = (await run({})).weights
    const misleading = teacherOf((label) => (label + 1) % TRAIN.numClasses)
    const tuned = await run({ mode: 'distill' }, { start, teacher: misleading })
    expect(tuned).toMatchObject({ weights: start, isTuned: false, epochs: 0 })
    expect(await readWeights(model)).toEqual(start)
  })

  it('should learn what labels do not say from a teacher', async () => {
    const permuted = teacherOf((label) => (label + 1) % TRAIN.numClasses)
    const asTaught = { ...HELD_OUT, labels: HELD_OUT.labels.map((label) => (label + 1) % 4) }
    const { weights } = await run({ mode: 'distill' }, { teacher: permuted, heldOut: asTaught })
    writeWeights(model, weights)
    expect((await evaluate(model, asTaught)).accuracy).toBeGreaterThan(0.6)
  })

  it.each(['distill', 'both'] as const)('should learn what is meant for it: %s', async (mode) => {
    const [plain, other] = [teacherOf((label) => label), teacherOf((label) => (label + 1) % 4)]
    const [[{ examples, logits }], [{ logits: corrected }]] = (await Promise.all([
      plain.lessons(),
      other.lessons(),
    ])) as unknown as [[Lesson], [Lesson]]
    const teacher = { ...SURE, lessons: async () => [{ examples, logits, corrected }] }
    // Held out are examples labelled as the answers for this mode have it.
    const shift = mode === 'both' ? 1 : 0
    const heldOut = { ...HELD_OUT, labels: HELD_OUT.labels.map((label) => (label + shift) % 4) }
    const { heldOut: score } = await run({ mode, epochs: 40 }, { teacher, heldOut })
    expect(score.accuracy).toBeGreaterThan(0.5)
  })

  it('should take all epochs of a teacher, by lessons that come again', async () => {
    const seen: number[] = []
    const onProgress = ({ epoch }: TuneProgress) => seen.push(epoch)
    const { epochs } = await run({ mode: 'distill', epochs: 9 }, { onProgress })
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(epochs).toBe(9)
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

const SURE = { heldOut: { accuracy: 1.1, loss: 0 } }

const perfectTeacher = (scale = 1) => teacherOf((label) => label, scale)

/** Two lessons of the examples as they are, with one large logit each. */
function teacherOf(answer: (label: number) => number, scale = 1): Teacher {
  const { labels, numClasses } = TRAIN
  const logits = Float32Array.from({ length: labels.length * numClasses }, (_, i) =>
    i % numClasses === answer(labels[Math.floor(i / numClasses)]!) ? 3 * scale : -scale,
  )
  const lesson = { examples: TRAIN, logits, corrected: logits }
  return { heldOut: { accuracy: 1, loss: 0.1 }, lessons: async () => [lesson, lesson] }
}

async function judge(weights: Awaited<ReturnType<typeof tune>>['weights']) {
  writeWeights(model, weights)
  return { heldOut: await evaluate(model, HELD_OUT), test: await evaluate(model, TEST) }
}

import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { calibrate, fitScale } from '../../../../server/proxy/calibrate.ts'
import { readWeights, type Weights, writeWeights } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { evaluate, judge } from '../../../../shared/training/evaluate.ts'
import { fit } from '../../../../shared/training/fit.ts'
import { predict } from '../../../../shared/training/predict.ts'
import { blobModel, blobs, untrainedBlob } from '../../../support/blob-task.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'

const TRAIN = blobs('train', 40)
const HELD_OUT = blobs('held out', 60)

let model: tf.LayersModel
/** It knows its few examples by heart, and is far too sure of others. */
let sure: Weights

beforeAll(async () => {
  await startTestEngine()
  model = blobModel()
  writeWeights(model, untrainedBlob('start'))
  await fit(model, TRAIN, {
    ...{ epochs: 200, batchSize: 8, learningRate: 0.02, optimizer: 'adam' },
    rng: createRng('by heart'),
  })
  sure = await readWeights(model)
})
afterAll(() => model.dispose())

describe('calibrate', () => {
  it('should make the held-out loss smaller, and leave every choice as it is', async () => {
    const before = await judged(sure)
    const logits = await predict(model, HELD_OUT)
    const after = await calibrate(model, before, HELD_OUT)
    expect(after.heldOut.loss).toBeLessThan(before.heldOut.loss)
    expect(after.heldOut.classAccuracy).toEqual(before.heldOut.classAccuracy)
    expect(await readWeights(model)).toEqual(after.weights)
    expect(await evaluate(model, HELD_OUT)).toEqual(after.heldOut)
    const scale = fitScale(logits, HELD_OUT)
    expect(scale).toBeLessThan(1)
    const softened = await predict(model, HELD_OUT)
    softened.forEach((logit, i) => expect(logit).toBeCloseTo(scale * logits[i]!, 4))
  })

  it('should change the head alone', async () => {
    const { weights } = await calibrate(model, await judged(sure), HELD_OUT)
    expect(weights.filter((tensor, i) => tensor !== sure[i]).map(({ name }) => name)).toEqual([
      'fc2.kernel',
      'fc2.bias',
    ])
  })

  it('should give back what is not too sure', async () => {
    const unsure = sure.map((tensor) => ({ ...tensor, data: tensor.data.map((v) => v * 0.2) }))
    const before = await judged(unsure)
    expect(await calibrate(model, before, HELD_OUT)).toBe(before)
    expect(await readWeights(model)).toEqual(unsure)
  })

  it('should leave a head alone that is no plain product', async () => {
    const dense = tf.layers.dense({ name: 'fc', units: 4, inputShape: [6] })
    const normed = tf.sequential({
      layers: [dense, tf.layers.batchNormalization({ name: 'norm' })],
    })
    try {
      // As sure as the scale of its normalisation makes it.
      const weights = (await readWeights(normed)).map((tensor) =>
        tensor.name.endsWith('gamma') ? { ...tensor, data: tensor.data.map(() => 50) } : tensor,
      )
      writeWeights(normed, weights)
      const before = { weights, heldOut: await evaluate(normed, HELD_OUT) }
      expect(fitScale(await predict(normed, HELD_OUT), HELD_OUT)).toBeLessThan(1)
      expect(await calibrate(normed, before, HELD_OUT)).toBe(before)
    } finally {
      normed.dispose()
    }
  })

  it('should leave no tensor alive', async () => {
    const before = await judged(sure)
    await expectNoLeakAsync(() => calibrate(model, before, HELD_OUT))
  })
})

describe('fitScale', () => {
  it('should be at least as good as every scale from a half to 1', () => {
    const logit = fc.double({ min: -20, max: 20, noNaN: true })
    const example = fc.record({
      label: fc.integer({ min: 0, max: 2 }),
      row: fc.tuple(logit, logit, logit),
    })
    fc.assert(
      fc.property(fc.array(example, { minLength: 1, maxLength: 12 }), (examples) => {
        const logits = Float32Array.from(examples.flatMap(({ row }) => row))
        const set = {
          ...HELD_OUT,
          numClasses: 3,
          labels: Int32Array.from(examples, ({ label }) => label),
        }
        const lossAt = (scale: number) =>
          judge(
            logits.map((v) => v * scale),
            set,
          ).loss
        const found = lossAt(fitScale(logits, set))
        for (let scale = 0.5; scale <= 1; scale += 1 / 64) {
          expect(found).toBeLessThanOrEqual(lossAt(scale) + 1e-5)
        }
      }),
    )
  })
})

// Helpers

async function judged(weights: Weights) {
  writeWeights(model, weights)
  return { weights, heldOut: await evaluate(model, HELD_OUT) }
}

import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { parseArchitecture } from '../../../../shared/model/architectures.ts'
import { buildModel } from '../../../../shared/model/build-model.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { evaluate, judge } from '../../../../shared/training/evaluate.ts'
import { predict } from '../../../../shared/training/predict.ts'
import { arrayExamples } from '../../../../shared/data/array-examples.ts'
import { blobExamples } from '../../../support/array-examples.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'

const SHAPE = { inputShape: [4], numClasses: 3 }

beforeAll(startTestEngine)

describe('judge', () => {
  it('should count what is right, and measure how sure it was', () => {
    const examples = arrayExamples(SHAPE, new Float32Array(12), Int32Array.of(0, 1, 2))
    // Right, wrong, and a tie that the first class wins.
    const logits = Float32Array.of(2, 0, 0, 0, 0, 2, 1, 1, 1)
    const { accuracy, loss } = judge(logits, examples)
    expect(accuracy).toBeCloseTo(1 / 3)
    const sure = Math.log(Math.E ** 2 + 2)
    expect(loss).toBeCloseTo((sure - 2 + sure + Math.log(3)) / 3)
  })

  it('should say how much of each class is right, and nothing of a class without examples', () => {
    const examples = arrayExamples(SHAPE, new Float32Array(16), Int32Array.of(0, 0, 2, 0))
    const logits = Float32Array.of(2, 0, 0, 0, 2, 0, 0, 0, 2, 2, 0, 0)
    const { accuracy, classAccuracy } = judge(logits, examples)
    expect(classAccuracy).toEqual([2 / 3, null, 1])
    expect(accuracy).toBe(3 / 4)
  })

  it('should not overflow on large logits', () => {
    const examples = arrayExamples(SHAPE, new Float32Array(4), Int32Array.of(1))
    expect(judge(Float32Array.of(1000, 999, -1000), examples).loss).toBeCloseTo(
      1 + Math.log(1 + Math.exp(-1)),
    )
  })

  it('should refuse to judge by nothing', () => {
    const examples = arrayExamples(SHAPE, new Float32Array(0), new Int32Array(0))
    expect(() => judge(new Float32Array(0), examples)).toThrow(RangeError)
  })
})

describe('predict', () => {
  // More than one pass, and the last one not full.
  const examples = blobExamples(SHAPE, 300, 'examples')

  it('should give the logits of every example in order', async () => {
    const model = newModel()
    const logits = await predict(model, examples)
    const outputs = tf.tidy(() => {
      const indices = Array.from({ length: 300 }, (_, i) => i)
      return model.apply(tf.tensor(examples.inputs(indices), [300, 4])) as tf.Tensor
    })
    const expected = await outputs.data()
    outputs.dispose()
    expect(logits).toHaveLength(900)
    for (const [i, logit] of logits.entries()) expect(logit).toBeCloseTo(expected[i]!, 5)
    expect(await evaluate(model, examples)).toEqual(judge(logits, examples))
    model.dispose()
  })

  it('should leave no tensor behind', async () => {
    const model = newModel()
    await expectNoLeakAsync(() => predict(model, examples))
    model.dispose()
  })
})

// Helpers

function newModel(): tf.LayersModel {
  return buildModel(parseArchitecture('mlp:4-5-3', SHAPE), createRng('7'))
}

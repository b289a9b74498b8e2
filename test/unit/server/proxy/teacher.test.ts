import * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Parent } from '../../../../server/fusion/strategy.ts'
import { ensembleLogits } from '../../../../server/proxy/ensemble.ts'
import type { Rendition } from '../../../../server/proxy/rendition.ts'
import { createTeacher, logitDistance } from '../../../../server/proxy/teacher.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { blobModel, blobParent, blobs } from '../../../support/blob-task.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'

const TRAIN = blobs('train', 60)

let model: tf.LayersModel
let parents: Parent[]

beforeAll(async () => {
  await startTestEngine()
  model = blobModel()
  parents = [await blobParent('a', [0, 1]), await blobParent('b', [1, 2, 3])]
})
afterAll(() => model.dispose())

describe('createTeacher', () => {
  it('should answer each rendition as the ensemble does', async () => {
    const lessons = await teacher(3).lessons()
    expect(lessons).toHaveLength(3)
    const sets = lessons.map(({ examples }) => examples)
    const answers = await ensembleLogits(model, parents, sets)
    lessons.forEach(({ logits }, i) => expect(logits).toEqual(answers[i]))
    expect(sets[0]!.inputs([0])).not.toEqual(sets[1]!.inputs([0]))
  })

  it.each([
    { crowd: 25, epochs: 24, count: 24 },
    { crowd: 30, epochs: 24, count: 20 },
    { crowd: 100, epochs: 24, count: 16 },
    { crowd: 100, epochs: 3, count: 3 },
  ])('should have $count renditions of $epochs epochs of $crowd parents', async (of) => {
    const crowd = Array.from({ length: of.crowd }, (_, i) => ({ ...parents[0]!, id: `p${i}` }))
    expect(await teacher(of.epochs, crowd).lessons()).toHaveLength(of.count)
  })

  it('should be put right by as much as each wrong example weighs in the mixture', async () => {
    const [plain] = await ensembleLogits(model, parents, [TRAIN])
    const missing = [...TRAIN.labels].map((label, i) => {
      const row = plain!.slice(i * 4, i * 4 + 4)
      const isRight = row.indexOf(Math.max(...row)) === label
      return isRight ? 0 : Math.max(...row) + 1 - row[label]!
    })
    expect(missing.filter((value) => value > 0).length).toBeGreaterThan(0)
    const [lesson] = await teacher(1).lessons()
    const { partners, mixes } = lesson!.examples as Rendition
    TRAIN.labels.forEach((label, i) => {
      const expected = [...lesson!.logits.slice(i * 4, i * 4 + 4)]
      expected[label]! += (1 - mixes[i]!) * missing[i]!
      expected[TRAIN.labels[partners[i]!]!]! += mixes[i]! * missing[partners[i]!]!
      const mean = expected.reduce((a, b) => a + b, 0) / 4
      expected.forEach((z, c) => expect(lesson!.corrected[i * 4 + c]).toBeCloseTo(z - mean, 4))
    })
  })

  it('should make its lessons once, when they are asked for', async () => {
    let loads = 0
    const counted = parents.map((parent) => ({
      ...parent,
      load: () => (loads++, parent.load()),
    }))
    const lazy = teacher(2, counted)
    expect(loads).toBe(0)
    expect(await lazy.lessons()).toBe(await lazy.lessons())
    expect(loads).toBe(2)
  })

  it('should leave no tensor alive', async () => {
    await expectNoLeakAsync(() => teacher(2).lessons())
  })
})

describe('logitDistance', () => {
  const logits = [11, 9, 5, 5]
  const distance = logitDistance(Float32Array.of(9, -9, 1, -1, 2, -2))
  const at = (values: readonly number[]) =>
    distance(tf.tensor2d([...values], [2, 2]), Int32Array.of(1, 2))

  it('should be the mean squared distance of rows of mean 0, whatever is added to a row', async () => {
    for (const z of [logits, [111, 109, 5, 5]]) {
      expect(await valuesOf(() => at(z).loss)).toEqual(Float32Array.of(2))
    }
  })

  it('should lead where a tape says', async () => {
    const tape = tf.grad((z) => distance(z as tf.Tensor2D, Int32Array.of(1, 2)).loss)
    const byTape = await valuesOf(() => tape(tf.tensor2d(logits, [2, 2])))
    const own = await valuesOf(() => at(logits).dLogits)
    expect(own.some((value) => value !== 0)).toBe(true)
    expect(own).toEqual(byTape)
  })
})

async function valuesOf(make: () => tf.Tensor) {
  const tensor = tf.tidy(make)
  try {
    return await tensor.data()
  } finally {
    tensor.dispose()
  }
}

function teacher(epochs: number, asked: readonly Parent[] = parents) {
  const heldOut = { accuracy: 0.5, loss: 1 }
  return createTeacher({
    model,
    parents: asked,
    train: TRAIN,
    heldOut,
    epochs,
    rng: createRng('teacher'),
  })
}

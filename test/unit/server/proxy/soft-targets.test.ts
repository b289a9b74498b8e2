import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { softCrossEntropy, softTargets } from '../../../../server/proxy/soft-targets.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeak } from '../../../support/expect-no-leak.ts'

const EXAMPLES = { labels: Int32Array.of(1, 0), numClasses: 2 }
const TEACHER = Float32Array.of(0.25, 0.75, 0.5, 0.5)

beforeAll(startTestEngine)

describe('softTargets', () => {
  it('should be the teacher, or its mean with the labels', () => {
    expect([...softTargets('distill', EXAMPLES, TEACHER)]).toEqual([0.25, 0.75, 0.5, 0.5])
    expect([...softTargets('both', EXAMPLES, TEACHER)]).toEqual([0.125, 0.875, 0.75, 0.25])
  })

  it('should refuse to distil without a teacher of the right size', () => {
    expect(() => softTargets('both', EXAMPLES, null)).toThrow(RangeError)
    expect(() => softTargets('distill', EXAMPLES, TEACHER.subarray(2))).toThrow(RangeError)
  })
})

describe('softCrossEntropy', () => {
  it('should be the mean over the batch, with the targets of its examples', async () => {
    const logits = tf.tensor2d([0, 2, 1, 1], [2, 2])
    const loss = softCrossEntropy(TEACHER)(logits, Int32Array.of(1, 0))
    const log2 = (z: number, other: number) => z - Math.log(Math.exp(z) + Math.exp(other))
    const first = -0.5 * log2(0, 2) - 0.5 * log2(2, 0)
    const second = -0.25 * log2(1, 1) - 0.75 * log2(1, 1)
    expect((await loss.data())[0]).toBeCloseTo((first + second) / 2, 5)
    tf.dispose([logits, loss])
  })

  it('should be least where the network says what the targets say', async () => {
    const gradient = tf.tidy(() => {
      const logits = tf.tensor2d(TEACHER.map(Math.log), [2, 2])
      return tf.grad((z: tf.Tensor) =>
        softCrossEntropy(TEACHER)(z as tf.Tensor2D, Int32Array.of(0, 1)),
      )(logits)
    })
    for (const slope of await gradient.data()) expect(slope).toBeCloseTo(0, 6)
    gradient.dispose()
  })

  it('should leave only its result alive, in a tidy', () => {
    const logits = tf.tensor2d([0, 2, 1, 1], [2, 2])
    expectNoLeak(() => tf.tidy(() => softCrossEntropy(TEACHER)(logits, Int32Array.of(0, 1))))
    logits.dispose()
  })
})

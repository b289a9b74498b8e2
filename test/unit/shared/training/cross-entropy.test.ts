import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { crossEntropy } from '../../../../shared/training/cross-entropy.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeak } from '../../../support/expect-no-leak.ts'
import { expectValues } from '../../../support/expect-values.ts'

beforeAll(startTestEngine)

// The last row would overflow if it were exponentiated as it stands.
const LOGITS = [
  [1, 2, 0.5],
  [-3, 0, 4],
  [200, 199, -200],
]
const LABELS = Int32Array.of(1, 0, 1)

describe('crossEntropy', () => {
  it('should be the mean of -log softmax at the labels, with its gradient', () => {
    tf.tidy(() => {
      const { loss, dLogits } = crossEntropy(tf.tensor2d(LOGITS), LABELS)
      const expected = reference()
      expect([loss.shape, dLogits.shape]).toEqual([[], [3, 3]])
      expectValues(loss, ([value]) => {
        expect(value).toBeCloseTo(expected.loss, 5)
      })
      expectValues(dLogits, (gradients) => {
        for (const [i, gradient] of gradients.entries()) {
          expect(gradient).toBeCloseTo(expected.dLogits[i]!, 6)
        }
      })
    })
  })

  it('should not be finite when a logit is not', async () => {
    const { loss } = tf.tidy(() => ({
      loss: crossEntropy(tf.tensor2d([[NaN, 0, 1]]), Int32Array.of(2)).loss,
    }))
    expect((await loss.data())[0]).toBeNaN()
    loss.dispose()
  })

  it('should leave nothing alive but what tidy returns', () => {
    const logits = tf.tensor2d(LOGITS)
    expectNoLeak(() => tf.tidy(() => ({ ...crossEntropy(logits, LABELS) })))
    logits.dispose()
  })
})

// Helpers

/** L = -1/n sum_i log softmax(z_i)[y_i] and dL/dz = (softmax(z) - onehot(y)) / n, in float64. */
function reference() {
  const n = LOGITS.length
  let loss = 0
  const dLogits = LOGITS.flatMap((row, i) => {
    const largest = Math.max(...row)
    const logSum = largest + Math.log(row.reduce((sum, z) => sum + Math.exp(z - largest), 0))
    loss += (logSum - row[LABELS[i]!]!) / n
    return row.map((z, c) => (Math.exp(z - logSum) - (c === LABELS[i] ? 1 : 0)) / n)
  })
  return { loss, dLogits }
}

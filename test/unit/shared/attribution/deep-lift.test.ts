import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { attribute } from '../../../../shared/attribution/attribute.ts'
import { deepLiftContributions } from '../../../../shared/attribution/deep-lift.ts'
import { readWeights } from '../../../../shared/model/weights.ts'
import { blobExamples } from '../../../support/array-examples.ts'
import { NETWORKS } from '../../../support/attributed-networks.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeak } from '../../../support/expect-no-leak.ts'
import { randomNetwork } from '../../../support/seeded-network.ts'
import { levelSums, logitsAt, scoredBatch } from '../../../support/scored-batch.ts'
import { slowDense } from '../../../support/slow-dense.ts'
import { tidyAsync } from '../../../support/tidy-async.ts'

const SHAPE = { inputShape: [8, 8, 2], numClasses: 3 }
const EXAMPLES = blobExamples(SHAPE, 12, 'examples')

/** Attention has no rule of its own, so its sums are no differences. */
const COMPLETE = [
  'dense',
  'pooling',
  'gelu',
  'normalized',
  'depthwise',
  'residual',
  'shortcut',
] as const

beforeAll(startTestEngine)

describe('deepLift', () => {
  it('should be the rescale rule in slow float64 loops', async () => {
    const model = await randomNetwork(SHAPE.inputShape, NETWORKS.dense)
    const slow = slowDense(await readWeights(model))
    const last = slow.widths.length - 1
    const expected = slow.widths.map((width) => new Float64Array(width).fill(1e-8))
    for (const [i, label] of EXAMPLES.labels.entries()) {
      const x = EXAMPLES.inputs([i])
      const outputs = slow.run([...x])
      const outputs0 = slow.run(Array.from(x, () => 0))
      let multipliers = outputs[last]!.map((_, unit) => Number(unit === label))
      for (let layer = last; layer >= 0; layer--) {
        if (layer < last) {
          const above = multipliers
          multipliers = outputs[layer]!.map((value, from) => {
            const value0 = outputs0[layer]![from]!
            const slope = (Math.max(0, value) - Math.max(0, value0)) / (value - value0)
            return above.reduce(
              (sum, multiplier, to) => sum + slope * multiplier * slow.weight(layer + 1, from, to),
              0,
            )
          })
        }
        for (const [unit, multiplier] of multipliers.entries()) {
          const moved = outputs[layer]![unit]! - outputs0[layer]![unit]!
          expected[layer]![unit]! += Math.abs(moved * multiplier) / EXAMPLES.labels.length
        }
      }
    }
    const scores = await attribute('deeplift', model, EXAMPLES)
    expect(scores).toHaveLength(expected.length)
    for (const [layer, of] of scores.entries()) {
      const most = Math.max(...expected[layer]!)
      for (const [unit, score] of of.entries()) {
        expect(Math.abs(score - expected[layer]![unit]!)).toBeLessThan(1e-5 * most)
      }
    }
    model.dispose()
  })

  it.each(COMPLETE)('should sum to f(x) - f(0) at every level of %s', async (name) => {
    const model = await randomNetwork(SHAPE.inputShape, NETWORKS[name])
    await tidyAsync(async () => {
      const { network, batch } = scoredBatch(model, EXAMPLES)
      const sums = await levelSums(deepLiftContributions(network, batch))
      expect(sums.length).toBeGreaterThanOrEqual(network.graph.levels.length)
      await expectDifferences(sums, model)
    })
    model.dispose()
  })

  it('should not sum to it in front of a max pooling where it does as captum', async () => {
    const model = await randomNetwork(SHAPE.inputShape, NETWORKS.pooling)
    await tidyAsync(async () => {
      const { network, batch } = scoredBatch(model, EXAMPLES)
      const sums = await levelSums(deepLiftContributions(network, batch, { pooling: 'captum' }))
      for (const before of sums.slice(0, 3)) {
        await expect(expectDifferences([before], model)).rejects.toThrow()
      }
      // At the last relu itself captum applies the rule, and behind it there is nothing to leave out.
      await expectDifferences(sums.slice(3), model)
    })
    model.dispose()
  })

  it('should leave no tensor behind', async () => {
    const model = await randomNetwork(SHAPE.inputShape, NETWORKS.pooling)
    const { network, batch } = scoredBatch(model, EXAMPLES)
    expectNoLeak(() => tf.tidy(() => deepLiftContributions(network, batch)))
    tf.dispose([batch.x, batch.labels])
    model.dispose()
  })
})

// Helpers

async function expectDifferences(
  sums: readonly (readonly number[])[],
  model: tf.LayersModel,
): Promise<void> {
  const [logits, logits0] = await Promise.all(
    [1, 0].map((scale) => logitsAt(model, EXAMPLES, scale)),
  )
  const most = Math.max(...logits!.map(Math.abs))
  for (const level of sums) {
    const errors = level.map((sum, i) => Math.abs(sum - (logits![i]! - logits0![i]!)))
    expect(Math.max(...errors)).toBeLessThan(1e-4 * most)
  }
}

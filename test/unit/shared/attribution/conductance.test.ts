import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { attribute } from '../../../../shared/attribution/attribute.ts'
import { PATH_NODES, pathConductance } from '../../../../shared/attribution/conductance.ts'
import { readWeights } from '../../../../shared/model/weights.ts'
import { blobExamples } from '../../../support/array-examples.ts'
import { NETWORKS } from '../../../support/attributed-networks.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeak } from '../../../support/expect-no-leak.ts'
import { chain, randomNetwork } from '../../../support/seeded-network.ts'
import { levelSums, logitsAt, scoredBatch } from '../../../support/scored-batch.ts'
import { slowDense } from '../../../support/slow-dense.ts'
import { tidyAsync } from '../../../support/tidy-async.ts'

const SHAPE = { inputShape: [8, 8, 2], numClasses: 3 }
const EXAMPLES = blobExamples(SHAPE, 12, 'examples')
const NAMES = Object.keys(NETWORKS) as (keyof typeof NETWORKS)[]

beforeAll(startTestEngine)

describe('conductance', () => {
  it('should be the equation in slow float64 loops', async () => {
    const model = await randomNetwork(SHAPE.inputShape, NETWORKS.dense)
    const slow = slowDense(await readWeights(model))
    const expected = slow.widths.map((width) => new Float64Array(width).fill(1e-8))
    for (const [i, label] of EXAMPLES.labels.entries()) {
      const x = EXAMPLES.inputs([i])
      const path = PATH_NODES.map((node) => slow.run(Array.from(x, (value) => value * node)))
      for (const [layer, scores] of expected.entries()) {
        for (const unit of scores.keys()) {
          let conductance = 0
          for (const [k, here] of path.slice(0, -1).entries()) {
            const moved = path[k + 1]![layer]![unit]! - here[layer]![unit]!
            conductance += moved * slow.gradients(here, label)[layer]![unit]!
          }
          scores[unit]! += Math.abs(conductance) / EXAMPLES.labels.length
        }
      }
    }
    const scores = await attribute('conductance', model, EXAMPLES)
    expect(scores).toHaveLength(expected.length)
    for (const [layer, of] of scores.entries()) {
      const most = Math.max(...expected[layer]!)
      for (const [unit, score] of of.entries()) {
        expect(Math.abs(score - expected[layer]![unit]!)).toBeLessThan(1e-5 * most)
      }
    }
    model.dispose()
  })

  it('should sum to the change of the logit at every level of a linear network', async () => {
    const { flatten, dense } = tf.layers
    const linear = chain(flatten(), dense({ units: 5 }), dense({ units: 4 }), dense({ units: 3 }))
    const model = await randomNetwork(SHAPE.inputShape, linear)
    await tidyAsync(async () => {
      const { network, batch } = scoredBatch(model, EXAMPLES)
      const sums = await levelSums(pathConductance(network, batch))
      expect(sums).toHaveLength(3)
      const changes = await pathChange(model)
      for (const level of sums) expectWithin(level, changes, 1e-4)
    })
    model.dispose()
  })

  it.each(NAMES)(
    'should sum to the change of the logit, nearly, at every level of %s',
    async (name) => {
      const model = await randomNetwork(SHAPE.inputShape, NETWORKS[name])
      await tidyAsync(async () => {
        const { network, batch } = scoredBatch(model, EXAMPLES)
        const contributions = pathConductance(network, batch)
        const sums = await levelSums(contributions)
        const changes = await pathChange(model)
        // Eleven points are few: a relu that opens between two of them is seen late.
        const flows = await levelSums(contributions.map((values) => tf.abs(values)))
        const tolerance = 0.15 * Math.max(...flows.flat())
        for (const level of sums) expectWithin(level, changes, tolerance)
        // At the head nothing is left to approximate.
        expectWithin(sums.at(-1)!, changes, 1e-4)
      })
      model.dispose()
    },
  )

  it('should leave no tensor behind', async () => {
    const model = await randomNetwork(SHAPE.inputShape, NETWORKS.residual)
    const { network, batch } = scoredBatch(model, EXAMPLES)
    expectNoLeak(() => tf.tidy(() => pathConductance(network, batch)))
    tf.dispose([batch.x, batch.labels])
    model.dispose()
  })
})

// Helpers

/** f(a_10 x) - f(a_0 x) of the true label's logit, one an example. */
async function pathChange(model: tf.LayersModel): Promise<number[]> {
  const [start, end] = await Promise.all(
    [PATH_NODES[0], PATH_NODES[10]].map((node) => logitsAt(model, EXAMPLES, node)),
  )
  return end!.map((logit, i) => logit - start![i]!)
}

function expectWithin(actual: readonly number[], expected: readonly number[], tolerance: number) {
  expect(actual).toHaveLength(expected.length)
  const errors = actual.map((value, i) => Math.abs(value - expected[i]!))
  expect(Math.max(...errors)).toBeLessThanOrEqual(tolerance)
}

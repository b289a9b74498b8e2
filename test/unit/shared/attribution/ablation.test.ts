import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { ablationContributions } from '../../../../shared/attribution/ablation.ts'
import { attribute } from '../../../../shared/attribution/attribute.ts'
import { neuronGraph } from '../../../../shared/model/neuron-graph.ts'
import { readWeights, type Weights, writeWeights } from '../../../../shared/model/weights.ts'
import { arrayExamples } from '../../../../shared/data/array-examples.ts'
import { blobExamples } from '../../../support/array-examples.ts'
import { NETWORKS } from '../../../support/attributed-networks.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'
import { chain, randomNetwork } from '../../../support/seeded-network.ts'
import { logitsAt, scoredBatch } from '../../../support/scored-batch.ts'
import { slowDense } from '../../../support/slow-dense.ts'

const SHAPE = { inputShape: [8, 8, 2], numClasses: 3 }
const EXAMPLES = blobExamples(SHAPE, 6, 'examples')

beforeAll(startTestEngine)

describe('ablation', () => {
  it('should be what setting one output to zero does, in slow float64 loops', async () => {
    const model = await randomNetwork(SHAPE.inputShape, NETWORKS.dense)
    const slow = slowDense(await readWeights(model))
    const expected = slow.widths.map((width, at) =>
      Array.from({ length: width }, (_, unit) => {
        const without = (layer: number, outputs: number[]) =>
          layer === at ? outputs.with(unit, 0) : outputs
        const falls = [...EXAMPLES.labels].map((label, i) => {
          const x = [...EXAMPLES.inputs([i])]
          return Math.abs(slow.run(x).at(-1)![label]! - slow.run(x, without).at(-1)![label]!)
        })
        return falls.reduce((sum, fall) => sum + fall, 0) / falls.length + 1e-8
      }),
    )
    expectScores(await attribute('ablation', model, EXAMPLES), expected)
    model.dispose()
  })

  it.each([
    ['conv1', ['conv1.kernel', 'conv1.bias'], ['conv1.kernel', 'conv1.bias']],
    // A depthwise filter spreads a channel over several positions, which go together.
    ['depthwise', ['depthwise.depthwiseKernel', 'depthwise.bias'], []],
  ])('should take all of a channel of %s away', async (name, weights) => {
    const { conv2d, depthwiseConv2d, reLU, globalAveragePooling2d, dense } = tf.layers
    const model = await randomNetwork(
      SHAPE.inputShape,
      chain(
        conv2d({ filters: 3, kernelSize: 3, name: 'conv1' }),
        reLU(),
        depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, name: 'depthwise' }),
        reLU(),
        globalAveragePooling2d({}),
        dense({ units: 3 }),
      ),
    )
    const { levels } = neuronGraph(model)
    const level = levels.findIndex((of) => of.name === name)
    const { network, batch } = scoredBatch(model, EXAMPLES)
    const nodes = [levels[level]!.pre]
    const [falls] = await ablationContributions(network, { ...batch, nodes })
    const sums = tf.sum(tf.abs(falls!), 0)
    const found = await sums.data()
    const before = await logitsAt(model, EXAMPLES, 1)
    const original = await readWeights(model)
    const perChannel = name === 'depthwise' ? 2 : 1
    for (let channel = 0; channel < 3; channel++) {
      writeWeights(model, withoutChannel(original, { weights, channel, perChannel }))
      const after = await logitsAt(model, EXAMPLES, 1)
      const fall = before.reduce((sum, logit, i) => sum + Math.abs(logit - after[i]!), 0)
      expect(found[channel * perChannel]).toBeCloseTo(fall, 5)
      if (perChannel === 2) expect(found[channel * 2 + 1]).toBe(0)
      writeWeights(model, original)
    }
    tf.dispose([sums, falls!, batch.x, batch.labels])
    model.dispose()
  })

  it('should give each place of a map a fall of its own when told', async () => {
    const { conv2d, flatten, dense } = tf.layers
    const net = chain(conv2d({ filters: 2, kernelSize: 3 }), flatten(), dense({ units: 3 }))
    const model = await randomNetwork([4, 4, 1], net)
    const examples = blobExamples({ inputShape: [4, 4, 1], numClasses: 3 }, 5, 'small')
    const { network, batch } = scoredBatch(model, examples)
    const nodes = [0]
    const [falls] = await ablationContributions(
      network,
      { ...batch, nodes },
      { ablate: 'positions', maxValues: 1 },
    )
    expect(falls!.shape).toEqual([5, 2, 2, 2])
    // The rest is linear: without a value the logit lacks its product with its weight.
    const layer = model.layers.find((of) => of.getClassName() === 'Conv2D')!
    const outputs = tf.tidy(() => layer.apply(batch.x) as tf.Tensor)
    const values = await outputs.data()
    const kernel = (await readWeights(model)).at(-2)!.data
    for (const [i, fall] of (await falls!.data()).entries()) {
      const label = examples.labels[Math.floor(i / 8)]!
      expect(fall).toBeCloseTo(values[i]! * kernel[(i % 8) * 3 + label]!, 5)
    }
    tf.dispose([outputs, falls!, batch.x, batch.labels])
    model.dispose()
  })

  it('should score a network that begins with an embedding', async () => {
    const { embedding, globalAveragePooling1d, dense } = tf.layers
    const body = chain(
      embedding({ inputDim: 9, outputDim: 4 }),
      globalAveragePooling1d({}),
      dense({ units: 3 }),
    )
    const model = await randomNetwork([5], body)
    const inputs = Float32Array.from({ length: 30 }, (_, i) => (i * 7) % 9)
    const labels = Int32Array.of(0, 1, 2, 0, 1, 2)
    const examples = arrayExamples({ inputShape: [5], numClasses: 3 }, inputs, labels)
    const [embedded, head] = await attribute('ablation', model, examples)
    expect(Math.min(...embedded!)).toBeGreaterThan(0.001)
    expect([embedded!.length, head!.length]).toEqual([4, 3])
    model.dispose()
  })

  it('should stop between two neurons when told, and leave no tensor behind', async () => {
    const model = await randomNetwork(SHAPE.inputShape, NETWORKS.residual)
    await expectNoLeakAsync(() => attribute('ablation', model, EXAMPLES))
    const { network, batch } = scoredBatch(model, EXAMPLES)
    const signal = AbortSignal.abort(new Error('enough'))
    await expectNoLeakAsync(() =>
      expect(ablationContributions(network, batch, { signal })).rejects.toThrow('enough'),
    )
    tf.dispose([batch.x, batch.labels])
    model.dispose()
  })
})

// Helpers

function withoutChannel(
  weights: Weights,
  gone: { weights: readonly string[]; channel: number; perChannel: number },
): Weights {
  return weights.map(({ name, shape, data }) => {
    if (!gone.weights.includes(name)) return { name, shape, data }
    // A depthwise kernel is [height, width, channel, multiplier], others end in the channel.
    const channels = 3 * gone.perChannel
    const isGone = (i: number) => Math.floor((i % channels) / gone.perChannel) === gone.channel
    return { name, shape, data: data.map((value, i) => (isGone(i) ? 0 : value)) }
  })
}

function expectScores(scores: readonly Float32Array[], expected: readonly number[][]): void {
  expect(scores).toHaveLength(expected.length)
  for (const [layer, of] of scores.entries()) {
    const most = Math.max(...expected[layer]!)
    for (const [unit, score] of of.entries()) {
      expect(Math.abs(score - expected[layer]![unit]!)).toBeLessThan(1e-5 * most)
    }
  }
}

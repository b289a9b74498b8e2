import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { attribute } from '../../../../shared/attribution/attribute.ts'
import { attributionPoints } from '../../../../shared/attribution/attribution-points.ts'
import { PATH_NODES, pathConductance } from '../../../../shared/attribution/conductance.ts'
import { parseArchitecture } from '../../../../shared/model/architectures.ts'
import { buildModel } from '../../../../shared/model/build-model.ts'
import { chainOf, forward } from '../../../../shared/model/chain.ts'
import { readWeights, writeWeights } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { blobExamples } from '../../../support/array-examples.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeak, expectNoLeakAsync } from '../../../support/expect-no-leak.ts'

const SHAPE = { inputShape: [12, 12, 1], numClasses: 3 }
const EXAMPLES = blobExamples(SHAPE, 12, 'examples')
const INDICES = [0, 1, 2, 3]

beforeAll(startTestEngine)

describe('conductance', () => {
  it('should sum to the change of the logit at the head, whatever the network', () => {
    const model = buildModel(parseArchitecture('lenet', SHAPE), createRng('7'))
    tf.tidy(() => {
      const chain = chainOf(model)
      const head = attributionPoints(chain, 'pre').at(-1)!
      const [c] = pathConductance(chain, EXAMPLES, { indices: INDICES, points: [head] })
      expectClose(sumOverNeurons(c!), logitChanges(model))
    })
    model.dispose()
  })

  it('should sum to the change of the logit at every level of a linear network', () => {
    const model = tf.sequential({
      layers: [
        tf.layers.flatten({ inputShape: SHAPE.inputShape }),
        tf.layers.dense({ units: 5 }),
        tf.layers.dense({ units: 4 }),
        tf.layers.dense({ units: 3 }),
      ],
    })
    tf.tidy(() => {
      const chain = chainOf(model)
      const points = attributionPoints(chain, 'pre')
      expect(points).toHaveLength(3)
      for (const c of pathConductance(chain, EXAMPLES, { indices: INDICES, points })) {
        expectClose(sumOverNeurons(c), logitChanges(model))
      }
    })
    model.dispose()
  })

  it('should leave only the floor to a neuron that reaches no logit any more', async () => {
    const model = buildModel(parseArchitecture('mlp:144-5-3', SHAPE), createRng('7'))
    const [before] = await attribute('conductance', model, EXAMPLES)
    const most = before!.indexOf(Math.max(...before!))
    const weights = await readWeights(model)
    const head = weights.find(({ name }) => name === 'fc2.kernel')!
    head.data.fill(0, most * 3, (most + 1) * 3)
    writeWeights(model, weights)
    const [after] = await attribute('conductance', model, EXAMPLES)
    expect(before![most]).toBeGreaterThan(0.1)
    expect(after![most]).toBe(Math.fround(1e-8))
    model.dispose()
  })

  it('should report its progress and stop when told', async () => {
    const model = buildModel(parseArchitecture('mlp:144-5-3', SHAPE), createRng('7'))
    const controller = new AbortController()
    const seen: string[] = []
    const options = {
      batchSize: 5,
      signal: controller.signal,
      onProgress: ({ done, total }: { done: number; total: number }) => {
        seen.push(`${done}/${total}`)
        if (done === 10) controller.abort(new Error('enough'))
      },
    }
    await expect(attribute('conductance', model, EXAMPLES, options)).rejects.toThrow('enough')
    expect(seen).toEqual(['5/12', '10/12'])
    model.dispose()
  })

  it('should refuse to score by nothing', async () => {
    const model = buildModel(parseArchitecture('mlp:144-5-3', SHAPE), createRng('7'))
    const none = blobExamples(SHAPE, 0, 'none')
    await expect(attribute('conductance', model, none)).rejects.toThrow(RangeError)
    model.dispose()
  })

  it('should leave no tensor behind', async () => {
    const model = buildModel(parseArchitecture('lenet', SHAPE), createRng('7'))
    const chain = chainOf(model)
    const points = attributionPoints(chain, 'post')
    expectNoLeak(() =>
      tf.tidy(() => pathConductance(chain, EXAMPLES, { indices: INDICES, points })),
    )
    await expectNoLeakAsync(() => attribute('conductance', model, EXAMPLES))
    model.dispose()
  })
})

describe('attributionPoints', () => {
  it('should find each level’s layer, and the relu behind it', () => {
    const model = buildModel(parseArchitecture('lenet', SHAPE), createRng('7'))
    const chain = chainOf(model)
    const kinds = (point: 'pre' | 'post') =>
      attributionPoints(chain, point).map((op) => chain.ops[op]!.kind)
    expect(kinds('pre')).toEqual(['kernel', 'kernel', 'kernel', 'kernel', 'kernel'])
    expect(kinds('post')).toEqual(['relu', 'relu', 'relu', 'relu', 'kernel'])
    model.dispose()
  })
})

describe('uniform', () => {
  it('should score every neuron 1, without an example', async () => {
    const model = buildModel(parseArchitecture('mlp:144-2-3', SHAPE), createRng('7'))
    const scores = await attribute('uniform', model, blobExamples(SHAPE, 0, 'none'))
    expect(scores).toEqual([Float32Array.of(1, 1), Float32Array.of(1, 1, 1)])
    model.dispose()
  })
})

// Helpers

function sumOverNeurons(c: tf.Tensor): Float32Array {
  return c.reshape([INDICES.length, -1]).sum(1).dataSync<'float32'>()
}

/** f(a_10 x) - f(a_0 x) of the true label's logit, one an example. */
function logitChanges(model: tf.LayersModel): Float32Array {
  const x = tf.tensor(EXAMPLES.inputs(INDICES), [INDICES.length, ...SHAPE.inputShape])
  const [logits0, logits10] = [PATH_NODES[0], PATH_NODES[10]].map((node) =>
    forward(chainOf(model), tf.mul(x, node)).outputs.at(-1)!.dataSync(),
  )
  return Float32Array.from(INDICES, (index, i) => {
    const at = i * SHAPE.numClasses + EXAMPLES.labels[index]!
    return logits10![at]! - logits0![at]!
  })
}

function expectClose(actual: Float32Array, expected: Float32Array): void {
  expect(actual).toHaveLength(expected.length)
  for (const [i, value] of actual.entries()) expect(value).toBeCloseTo(expected[i]!, 4)
}

import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { attribute } from '../../../../shared/attribution/attribute.ts'
import { attributionPoints } from '../../../../shared/attribution/attribution-points.ts'
import { scoreNeurons } from '../../../../shared/attribution/score-neurons.ts'
import type { ScorerName } from '../../../../shared/attribution/scorer-names.ts'
import { modelWeights } from '../../../../shared/model/model-variables.ts'
import { neuronGraph } from '../../../../shared/model/neuron-graph.ts'
import { forward } from '../../../../shared/model/op-graph.ts'
import { readWeights, writeWeights } from '../../../../shared/model/weights.ts'
import { blobExamples } from '../../../support/array-examples.ts'
import { NETWORKS } from '../../../support/attributed-networks.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'
import { chain, randomNetwork } from '../../../support/seeded-network.ts'

const SHAPE = { inputShape: [8, 8, 2], numClasses: 3 }
const EXAMPLES = blobExamples(SHAPE, 12, 'examples')
const LOOKING: readonly ScorerName[] = ['conductance', 'deeplift', 'ablation']
const FLOOR = Math.fround(1e-8)

beforeAll(startTestEngine)

describe.each(LOOKING)('scores by %s', (scorer) => {
  it('should leave exactly the floor to a neuron that reaches no logit', async () => {
    const model = await randomNetwork(SHAPE.inputShape, NETWORKS.dense)
    const weights = await readWeights(model)
    weights.at(-2)!.data.fill(0, 2 * 3, 3 * 3)
    writeWeights(model, weights)
    const [, second] = await attribute(scorer, model, EXAMPLES)
    expect(second![2]).toBe(FLOOR)
    expect(Math.max(...second!)).toBeGreaterThan(0.01)
    model.dispose()
  })

  it('should leave exactly the floor to a neuron that never fires', async () => {
    const model = await randomNetwork(SHAPE.inputShape, NETWORKS.pooling)
    const weights = await readWeights(model)
    weights[1]!.data[3] = -1e3
    writeWeights(model, weights)
    for (const point of ['pre', 'post'] as const) {
      const [first] = await attribute(scorer, model, EXAMPLES, { point })
      expect(first![3]).toBe(FLOOR)
      expect(Math.min(...first!.slice(0, 3))).toBeGreaterThan(0.001)
    }
    model.dispose()
  })

  it.each(Object.keys(NETWORKS) as (keyof typeof NETWORKS)[])(
    'should not depend on the batches but for rounding: %s',
    async (name) => {
      const model = await randomNetwork(SHAPE.inputShape, NETWORKS[name])
      const whole = await attribute(scorer, model, EXAMPLES)
      const pieces = await attribute(scorer, model, EXAMPLES, { batchSize: 5, maxValues: 20_000 })
      expect(whole.map(({ length }) => length)).toEqual(pieces.map(({ length }) => length))
      for (const [group, scores] of whole.entries()) {
        const errors = scores.map((score, i) => Math.abs(score - pieces[group]![i]!))
        expect(Math.max(...errors)).toBeLessThan(1e-4 * Math.max(...scores))
      }
      model.dispose()
    },
  )

  it('should hold no more values at once than allowed', async () => {
    const model = await randomNetwork(SHAPE.inputShape, NETWORKS.dense)
    const seen: number[] = []
    const copies = { conductance: 11, deeplift: 2, ablation: 1, uniform: 1 }[scorer]
    // Of an example: inputs, the same flattened, two layers and their relus, the head.
    const values = 128 + 128 + 2 * 7 + 2 * 5 + 3
    await attribute(scorer, model, EXAMPLES, {
      maxValues: 5.9 * copies * values,
      onProgress: ({ done }) => seen.push(done),
    })
    expect(seen).toEqual([5, 10, 12])
    model.dispose()
  })

  it('should take one example at a time where not even one fits', async () => {
    const model = await randomNetwork(SHAPE.inputShape, NETWORKS.dense)
    const seen: number[] = []
    const onProgress = ({ done }: { done: number }) => seen.push(done)
    await attribute(scorer, model, EXAMPLES, { maxValues: 1, onProgress })
    expect(seen).toEqual(Array.from({ length: 12 }, (_, i) => i + 1))
    model.dispose()
  })

  it('should report its progress and stop when told', async () => {
    const model = await randomNetwork(SHAPE.inputShape, NETWORKS.dense)
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
    await expectNoLeakAsync(async () => {
      await expect(attribute(scorer, model, EXAMPLES, options)).rejects.toThrow('enough')
    })
    expect(seen).toEqual(['5/12', '10/12'])
    model.dispose()
  })

  it('should refuse to score by nothing', async () => {
    const model = await randomNetwork(SHAPE.inputShape, NETWORKS.dense)
    const none = blobExamples(SHAPE, 0, 'none')
    await expect(attribute(scorer, model, none)).rejects.toThrow(RangeError)
    model.dispose()
  })

  it('should leave no tensor behind', async () => {
    const model = await randomNetwork(SHAPE.inputShape, NETWORKS.attention)
    await expectNoLeakAsync(() => attribute(scorer, model, EXAMPLES))
    model.dispose()
  })
})

describe.each(['conductance', 'deeplift'] as const)('an embedding and %s', (scorer) => {
  it('should name the layer whose indices cannot be scaled, and what can be done', async () => {
    const { embedding, flatten, dense } = tf.layers
    const body = chain(
      embedding({ inputDim: 9, outputDim: 4, name: 'words' }),
      flatten(),
      dense({ units: 3 }),
    )
    const model = await randomNetwork([5], body)
    const examples = blobExamples({ inputShape: [5], numClasses: 3 }, 3, 'indices')
    const refusal = attribute(scorer, model, examples)
    await expect(refusal).rejects.toMatchObject({ code: 'GRAFT_LAYER_UNSUPPORTED' })
    await expect(refusal).rejects.toThrow(/words .*ablation or uniform/)
    model.dispose()
  })
})

describe('scoreNeurons', () => {
  it('should take the mean over the levels at which a residual stream is read', async () => {
    const model = await randomNetwork(SHAPE.inputShape, NETWORKS.residual)
    const graph = neuronGraph(model)
    const points = attributionPoints(graph, 'post')
    const [stream, inner, head] = points
    expect(stream).toHaveLength(2)
    expect([inner, head].map((of) => of!.length)).toEqual([1, 1])
    const scores = await scoresOfSizes(model)
    // The contribution of each position is 1 / places at the first level, and 10 times that at the second.
    expect(scores[0]).toEqual(new Float32Array(4).fill((1 + 10) / 2))
    model.dispose()

    function scoresOfSizes(of: tf.LayersModel): Promise<Float32Array[]> {
      const network = { graph, weights: modelWeights(of) }
      return scoreNeurons(network, EXAMPLES, { point: 'post', copies: 1 }, ({ x, nodes }) =>
        tf.tidy(() => {
          const { outputs } = forward(graph.ops, x, network.weights)
          return nodes.map((node) => {
            const factor = node === stream![1] ? 10 : 1
            const places = outputs[node]!.size / x.shape[0] / outputs[node]!.shape.at(-1)!
            return tf.fill(outputs[node]!.shape, factor / places)
          })
        }),
      )
    }
  })

  it('should sum over the positions of an attention head', async () => {
    const model = await randomNetwork(SHAPE.inputShape, NETWORKS.attention)
    const graph = neuronGraph(model)
    const network = { graph, weights: modelWeights(model) }
    const scores = await scoreNeurons(network, EXAMPLES, { copies: 1 }, ({ x, nodes }) =>
      tf.tidy(() => {
        const { outputs } = forward(graph.ops, x, network.weights)
        // -1, -2, ... along the last axis, at one place: magnitudes are what counts.
        return nodes.map((node) => {
          const width = outputs[node]!.shape.at(-1)!
          return tf.mul(tf.ones([x.shape[0], 1]), tf.range(-1, -1 - width, -1))
        })
      }),
    )
    const heads = graph.groups.find(({ width }) => width === 2)!
    expect(scores[heads.index]).toEqual(Float32Array.of(1 + 2 + 3, 4 + 5 + 6))
    model.dispose()
  })
})

describe('attributionPoints', () => {
  it('should lie behind bias and batch normalisation, and behind the activation', async () => {
    const model = await randomNetwork(SHAPE.inputShape, NETWORKS.residual)
    const graph = neuronGraph(model)
    const kinds = (point: 'pre' | 'post') =>
      attributionPoints(graph, point).map((of) => of.map((node) => graph.ops.nodes[node]!.op.kind))
    expect(kinds('pre')).toEqual([['kernel', 'add'], ['batch-norm'], ['kernel']])
    expect(kinds('post')).toEqual([['relu', 'relu'], ['relu'], ['kernel']])
    model.dispose()
  })
})

describe('uniform', () => {
  it('should score every neuron 1, without an example', async () => {
    const model = await randomNetwork(SHAPE.inputShape, NETWORKS.normalized)
    const scores = await attribute('uniform', model, blobExamples(SHAPE, 0, 'none'))
    expect(scores).toEqual([new Float32Array(4).fill(1), new Float32Array(3).fill(1)])
    model.dispose()
  })
})

import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { assertSuitable } from '../../../../server/fusion/assert-suitable.ts'
import { parseStrategy } from '../../../../server/fusion/strategies.ts'
import { parseArchitecture } from '../../../../shared/model/architectures.ts'
import { buildModel } from '../../../../shared/model/build-model.ts'
import { neuronGraph, type NeuronGraph } from '../../../../shared/model/neuron-graph.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { startTestEngine } from '../../../support/engine.ts'

const TWO = { fewest: 2, most: 2 }
const IMAGES = { inputShape: [32, 32, 3], numClasses: 10 }

beforeAll(async () => {
  await startTestEngine()
})

describe('assertSuitable', () => {
  it.each(['nt', 'kf-linear', 'kf-gradient', 'otfusion'])('should let %s fuse vgg11', (name) => {
    expect(() => assertSuitable(parseStrategy(name), graphOf('vgg11:2'), TWO)).not.toThrow()
  })

  it.each(['resnet18:2', 'vit:8x1'])('should let nt and kf-gradient fuse %s', (model) => {
    const graph = graphOf(model)
    for (const name of ['nt', 'kf-gradient']) {
      expect(() => assertSuitable(parseStrategy(name), graph, TWO)).not.toThrow()
    }
  })

  it('should name the layer of a refusal, and the strategies that can fuse the network', () => {
    expect(() => assertSuitable(parseStrategy('kf-linear'), graphOf('resnet18:2'), TWO)).toThrow(
      expect.objectContaining({
        code: 'GRAFT_STRATEGY_UNSUITABLE',
        problem: expect.stringMatching(
          /level layer1\.0\.conv2 .* Of the others, fedavg, nt, kf-gradient, otfusion, git-rebasin, median, feddf, auto can fuse/,
        ),
      }),
    )
  })

  it('should not name a strategy that refuses the network too', () => {
    const inputs = tf.input({ shape: [3] })
    const made = tf.layers.dense({ name: 'made', units: 3 }).apply(inputs) as tf.SymbolicTensor
    const sum = tf.layers.add({ name: 'sum' }).apply([inputs, made])
    const outputs = tf.layers.dense({ units: 2 }).apply(sum) as tf.SymbolicTensor
    const graph = neuronGraph(tf.model({ inputs, outputs }))
    expect(() => assertSuitable(parseStrategy('nt'), graph, TWO)).toThrow(
      /the others, fedavg, .*GRAFT_STRATEGY_UNSUITABLE/,
    )
  })
})

function graphOf(spec: string): NeuronGraph {
  const model = buildModel(parseArchitecture(spec, IMAGES), createRng(spec))
  try {
    return neuronGraph(model)
  } finally {
    model.dispose()
  }
}

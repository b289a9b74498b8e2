import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { registerLayerOps } from '../../../../shared/model/layer-ops.ts'
import { modelWeights } from '../../../../shared/model/model-variables.ts'
import { neuronGraph } from '../../../../shared/model/neuron-graph.ts'
import { forward, opGraphOf, trainableWeights } from '../../../../shared/model/op-graph.ts'
import { taped, weightsOf } from '../../../../shared/model/ops/op.ts'
import { readWeights } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { fit } from '../../../../shared/training/fit.ts'
import { blobExamples } from '../../../support/array-examples.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectValues } from '../../../support/expect-values.ts'

const SHAPE = { inputShape: [6], numClasses: 3 }

beforeAll(async () => {
  await startTestEngine()
  registerLayerOps('ChannelScale', (layer) => {
    const [scale, offset] = weightsOf(layer)
    const trace = {
      kind: 'other',
      layer: layer.name,
      weights: [offset!, scale!],
      trace: ([input], trace) => {
        trace.addAxis({ weight: scale!.name, axis: 0, role: 'gamma', layout: input! })
        trace.addAxis({ weight: offset!.name, axis: 0, role: 'beta', layout: input! })
        return input!
      },
    } satisfies Parameters<typeof taped>[0]
    return [taped(trace, ([x], [b, s]) => tf.mul(tf.add(x!, b!), s!))]
  })
})

describe('a layer of a user', () => {
  it('should train, its constants excepted', async () => {
    const model = network(new ChannelScale({ name: 'scale' }))
    const before = await readWeights(model)
    const result = await fit(model, blobExamples(SHAPE, 50, 'examples'), {
      epochs: 10,
      batchSize: 16,
      optimizer: 'adam',
      learningRate: 0.05,
      rng: createRng('7'),
    })
    expect(result.loss).toBeLessThan(0.5)
    const after = await readWeights(model)
    const changed = after.filter(({ data }, i) => data.some((v, k) => v !== before[i]!.data[k]))
    expect(changed.map(({ name }) => name).sort()).toEqual([
      ...['fc1.bias', 'fc1.kernel', 'fc2.bias', 'fc2.kernel', 'scale.scale'],
    ])
    model.dispose()
  })

  it('should have the gradients of its tape', () => {
    const model = network(new ChannelScale({ name: 'scale' }))
    tf.tidy(() => {
      const x = tf.randomNormal([5, 6], 0, 1, 'float32', 11)
      const graph = opGraphOf(model)
      const pass = forward(graph, x, modelWeights(model))
      const gradients = pass.backward(tf.ones([5, 3])).weights
      const { grads } = tf.variableGrads(() => tf.sum(model.apply(x) as tf.Tensor))
      expect(trainableWeights(graph)).toHaveLength(Object.keys(grads).length)
      for (const [i, gradient] of Object.values(grads).entries()) {
        expectValues(tf.max(tf.abs(tf.sub(gradients[i]!, gradient))), ([worst]) => {
          expect(worst).toBeLessThan(1e-4)
        })
      }
    })
    model.dispose()
  })

  it('should have its neurons followed', () => {
    const model = network(new ChannelScale({ name: 'scale' }))
    const { groups } = neuronGraph(model)
    expect(groups.map(({ axes }) => axes.map(({ weight }) => weight))).toEqual([
      ['fc1.kernel', 'fc1.bias', 'scale.scale', 'scale.offset', 'fc2.kernel'],
      ['fc2.kernel', 'fc2.bias'],
    ])
    model.dispose()
  })

  it('should be refused by name, with what to do, when nobody has registered it', () => {
    const model = network(new Unknown({ name: 'odd' }))
    expect(() => opGraphOf(model)).toThrow(
      expect.objectContaining({
        code: 'GRAFT_LAYER_UNSUPPORTED',
        message: expect.stringMatching(/Layer odd \(Unknown\) is of a kind.*registerLayerOps/),
      }),
    )
    model.dispose()
  })

  it('should be refused when it has neurons that none of its weights makes', () => {
    registerLayerOps('Unknown', (layer) => [
      taped(
        {
          kind: 'other',
          layer: layer.name,
          weights: [],
          trace: (_, trace) => trace.addGroup(layer.name, 4),
        },
        ([x]) => x!,
      ),
    ])
    const model = network(new Unknown({ name: 'odd' }))
    expect(() => neuronGraph(model)).toThrow('Layer odd has neurons that no weight makes')
    model.dispose()
  })
})

// Helpers

/** y = (x + offset) scale, its offset a constant. */
class ChannelScale extends tf.layers.Layer {
  static readonly className = 'ChannelScale'

  override build(inputShape: tf.Shape): void {
    const width = [inputShape.at(-1)!]
    this.addWeight('scale', width, 'float32', tf.initializers.ones())
    const constant = tf.initializers.constant({ value: 0.5 })
    this.addWeight('offset', width, 'float32', constant, undefined, false)
    this.built = true
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [scale, offset] = this.weights.map((weight) => weight.read())
    return tf.tidy(() => tf.mul(tf.add([inputs].flat()[0]!, offset!), scale!))
  }
}

class Unknown extends tf.layers.Layer {
  static readonly className = 'Unknown'

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return [inputs].flat()[0]!.clone()
  }
}

function network(middle: tf.layers.Layer): tf.LayersModel {
  const kernelInitializer = tf.initializers.heNormal({ seed: 7 })
  return tf.sequential({
    layers: [
      tf.layers.dense({ name: 'fc1', units: 4, inputShape: [6], kernelInitializer }),
      middle,
      tf.layers.dense({ name: 'fc2', units: 3, kernelInitializer }),
    ],
  })
}

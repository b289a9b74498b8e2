import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { modelWeights } from '../../../../shared/model/model-variables.ts'
import { forward, opGraphOf, trainableWeights } from '../../../../shared/model/op-graph.ts'
import { poolEarly } from '../../../../shared/model/pool-early.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectValues } from '../../../support/expect-values.ts'

beforeAll(startTestEngine)

const NETWORKS: Record<string, { layers: () => tf.layers.Layer[]; order: string[] }> = {
  'conv, relu, pool': {
    layers: () => [conv({ activation: 'relu' }), pool(2)],
    order: ['kernel', 'max-pool', 'bias', 'relu'],
  },
  'conv without bias, relu, pool': {
    layers: () => [conv({ useBias: false }), tf.layers.reLU(), pool(2)],
    order: ['kernel', 'max-pool', 'relu'],
  },
  'conv, batch normalisation, relu, pool': {
    layers: () => [conv({}), tf.layers.batchNormalization({}), tf.layers.reLU(), pool(2)],
    order: ['kernel', 'batch-norm', 'max-pool', 'relu'],
  },
  'conv, pool, relu': {
    layers: () => [conv({}), pool(2), tf.layers.reLU()],
    order: ['kernel', 'max-pool', 'bias', 'relu'],
  },
  'windows that leave a row and a column over': {
    layers: () => [conv({ activation: 'relu' }), pool(3)],
    order: ['kernel', 'max-pool', 'bias', 'relu'],
  },
  'pool, conv, relu': {
    layers: () => [pool(2), conv({ activation: 'relu' })],
    order: ['max-pool', 'kernel', 'relu'],
  },
}

describe.each(Object.entries(NETWORKS))('poolEarly of %s', (_, { layers, order }) => {
  it('should pool before what works on each value alone, and before nothing else', () => {
    expect(
      poolEarly(opGraphOf(model(layers())))
        .nodes.slice(0, -2)
        .map(({ op }) => op.kind),
    ).toEqual(order)
  })

  it('should keep the logits, the gradients and the order of the weights', () => {
    expectSame(model(layers()))
  })
})

describe('poolEarly of a graph that branches', () => {
  const input = () => tf.input({ shape: [8, 8, 2] })
  const head = (x: tf.SymbolicTensor) =>
    chain(x, tf.layers.flatten(), tf.layers.dense({ units: 3, kernelInitializer: normal(9) }))
  const kinds = (network: tf.LayersModel) =>
    poolEarly(opGraphOf(network)).nodes.map(({ op }) => op.kind)

  it('should not pool ahead of what something else reads', () => {
    const inputs = input()
    const before = chain(inputs, conv({}), tf.layers.reLU())
    const pooled = chain(before, pool(2))
    const skip = chain(before, conv({ strides: 2 }))
    const outputs = head(chain([pooled, skip], tf.layers.add()))
    const network = tf.model({ inputs, outputs })
    expect(kinds(network).slice(0, 3)).toEqual(['kernel', 'relu', 'max-pool'])
    expectSame(network)
  })

  it('should pool ahead of a relu alone, where the convolution is read twice', () => {
    const inputs = input()
    const before = chain(inputs, conv({}))
    const pooled = chain(before, tf.layers.reLU(), pool(2))
    const outputs = head(chain([pooled, chain(before, conv({ strides: 2 }))], tf.layers.add()))
    const network = tf.model({ inputs, outputs })
    expect(kinds(network).slice(0, 3)).toEqual(['kernel', 'max-pool', 'relu'])
    expectSame(network)
  })

  it('should read what the relu read, whatever stands before it', () => {
    const inputs = input()
    const [a, b] = [chain(inputs, conv({})), chain(inputs, conv({ useBias: false }))]
    const pooled = chain(a, tf.layers.reLU(), pool(2))
    const outputs = head(chain([pooled, chain(b, pool(2))], tf.layers.concatenate()))
    expectSame(tf.model({ inputs, outputs }))
    const again = input()
    const first = chain(again, conv({}), pool(2))
    const second = chain(again, tf.layers.reLU(), pool(2))
    expectSame(
      tf.model({ inputs: again, outputs: head(chain([first, second], tf.layers.concatenate())) }),
    )
  })

  it('should pool twice ahead of one relu', () => {
    const inputs = input()
    const outputs = head(chain(inputs, conv({ activation: 'relu' }), pool(2), pool(2)))
    const network = tf.model({ inputs, outputs })
    expect(kinds(network).slice(0, 5)).toEqual(['kernel', 'max-pool', 'bias', 'max-pool', 'relu'])
    expectSame(network)
  })
})

// Helpers

/** Same logits, gradients and order of the weights. */
function expectSame(network: tf.LayersModel): void {
  const weights = modelWeights(network)
  tf.tidy(() => {
    const graph = opGraphOf(network)
    const early = poolEarly(graph)
    expect(trainableWeights(early)).toEqual(trainableWeights(graph))
    const [expected, actual] = [graph, early].map((each) => {
      const training = { rng: createRng('7'), onMoved: () => undefined }
      const pass = forward(each, input(), weights, { training })
      return [pass.outputs.at(-1)!, ...pass.backward(dLogits()).weights]
    }) as [tf.Tensor[], tf.Tensor[]]
    expect(actual).toHaveLength(expected.length)
    for (const [i, tensor] of actual.entries()) {
      expect(tensor.shape).toEqual(expected[i]!.shape)
      expectValues(tf.max(tf.abs(tf.sub(tensor, expected[i]!))), ([worst]) => {
        expect(worst).toBeLessThan(1e-4)
      })
    }
  })
  network.dispose()
}

type Tensor = tf.SymbolicTensor

function chain(x: Tensor | Tensor[], ...following: tf.layers.Layer[]): Tensor {
  return following.reduce<Tensor | Tensor[]>((y, layer) => layer.apply(y) as Tensor, x) as Tensor
}

/** Biases of either sign, so that relu cuts differently before and after them. */
function model(layers: tf.layers.Layer[]): tf.Sequential {
  const input = tf.layers.inputLayer({ inputShape: [8, 8, 2] })
  const head = [tf.layers.flatten(), tf.layers.dense({ units: 3, kernelInitializer: normal(9) })]
  return tf.sequential({ layers: [input, ...layers, ...head] })
}

function conv(options: {
  activation?: 'relu'
  useBias?: boolean
  strides?: number
}): tf.layers.Layer {
  return tf.layers.conv2d({
    filters: 4,
    kernelSize: 3,
    padding: 'same',
    kernelInitializer: normal(8),
    biasInitializer: normal(7),
    ...options,
  })
}

const pool = (poolSize: number) => tf.layers.maxPooling2d({ poolSize })
const normal = (seed: number) => tf.initializers.randomNormal({ mean: 0, stddev: 0.5, seed })
const input = () => tf.randomNormal([5, 8, 8, 2], 0, 1, 'float32', 11)
const dLogits = () => tf.randomNormal([5, 3], 0, 1, 'float32', 12)

import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { chainOf, forward, trainableVariables } from '../../../../shared/model/chain.ts'
import { poolEarly } from '../../../../shared/model/pool-early.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { startTestEngine } from '../../../support/engine.ts'

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
      poolEarly(chainOf(model(layers())))
        .ops.slice(0, -2)
        .map(({ kind }) => kind),
    ).toEqual(order)
  })

  it('should keep the logits, the gradients and the order of the weights', () => {
    tf.tidy(() => {
      const chain = chainOf(model(layers()))
      const early = poolEarly(chain)
      expect(trainableVariables(early)).toEqual(trainableVariables(chain))
      const [expected, actual] = [chain, early].map((each) => {
        const pass = forward(each, input(), { training: createRng('7') })
        return [pass.outputs.at(-1)!, ...pass.backward(dLogits()).weights]
      }) as [tf.Tensor[], tf.Tensor[]]
      expect(actual).toHaveLength(expected.length)
      for (const [i, tensor] of actual.entries()) {
        expect(tensor.shape).toEqual(expected[i]!.shape)
        expect(tf.max(tf.abs(tf.sub(tensor, expected[i]!))).dataSync()[0]).toBeLessThan(1e-4)
      }
    })
  })
})

// Helpers

/** Biases of either sign, so that relu cuts differently before and after them. */
function model(layers: tf.layers.Layer[]): tf.Sequential {
  const input = tf.layers.inputLayer({ inputShape: [8, 8, 2] })
  const head = [tf.layers.flatten(), tf.layers.dense({ units: 3, kernelInitializer: normal(9) })]
  return tf.sequential({ layers: [input, ...layers, ...head] })
}

function conv(options: { activation?: 'relu'; useBias?: boolean }): tf.layers.Layer {
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

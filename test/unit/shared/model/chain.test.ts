import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { chainOf, forward, trainableVariables } from '../../../../shared/model/chain.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeak } from '../../../support/expect-no-leak.ts'

beforeAll(startTestEngine)

const NETWORKS: Record<string, () => tf.Sequential> = {
  dense: () =>
    tf.sequential({
      layers: [
        tf.layers.flatten({ inputShape: [6, 6, 2] }),
        dense(5, { activation: 'relu' }),
        dense(4, { useBias: false }),
        tf.layers.reLU(),
        dense(3),
      ],
    }),
  convolutional: () =>
    tf.sequential({
      layers: [
        conv(4, { inputShape: [6, 6, 2], activation: 'relu' }),
        tf.layers.maxPooling2d({ poolSize: 2 }),
        conv(3, { padding: 'valid', useBias: false }),
        tf.layers.flatten(),
        dense(3),
      ],
    }),
  'batch-normalised': () =>
    tf.sequential({
      layers: [
        conv(4, { inputShape: [6, 6, 2] }),
        tf.layers.batchNormalization({ epsilon: 1e-5, momentum: 0.9 }),
        tf.layers.reLU(),
        tf.layers.flatten(),
        dense(4),
        tf.layers.batchNormalization({}),
        dense(3),
      ],
    }),
}

describe.each(Object.keys(NETWORKS))('a pass through a %s network', (name) => {
  it('should give the logits and gradients that tfjs gives', () => {
    tf.tidy(() => {
      const model = NETWORKS[name]!()
      const chain = chainOf(model)
      const pass = forward(chain, input(), { training: createRng('7') })
      const ours = pass.backward(weightsOfLogits()).weights
      const { value, grads } = tf.variableGrads(() => {
        const logits = model.apply(input(), { training: true }) as tf.Tensor
        return tf.sum<tf.Scalar>(tf.mul(logits, weightsOfLogits()))
      })
      expectClose(tf.sum(tf.mul(pass.outputs.at(-1)!, weightsOfLogits())), value)
      const variables = trainableVariables(chain)
      expect(variables.map((variable) => variable.name)).toEqual(Object.keys(grads))
      for (const [i, variable] of variables.entries()) {
        expectClose(ours[i]!, grads[variable.name]!)
      }
    })
  })

  it('should infer as the model predicts', () => {
    tf.tidy(() => {
      const model = NETWORKS[name]!()
      const logits = model.apply(input()) as tf.Tensor
      expectClose(forward(chainOf(model), input()).outputs.at(-1)!, logits)
    })
  })

  it('should give the gradients at the outputs asked for, and no others', () => {
    tf.tidy(() => {
      const chain = chainOf(NETWORKS[name]!())
      const pass = forward(chain, input())
      const { outputs, weights } = pass.backward(weightsOfLogits(), (op) => op === 1 || op === 3)
      expect([...outputs.keys()].sort()).toEqual([1, 3])
      expect(weights).toEqual([])
      for (const [op, gradient] of outputs) {
        expect(gradient.shape).toEqual(pass.outputs[op]!.shape)
      }
    })
  })

  it('should leave nothing alive but what tidy returns', () => {
    const model = NETWORKS[name]!()
    const chain = chainOf(model)
    expectNoLeak(() =>
      tf.tidy(() => forward(chain, input(), {}).backward(weightsOfLogits()).weights),
    )
    model.dispose()
  })
})

describe('batch normalisation', () => {
  it('should move its statistics towards the batch while training, as tfjs does', () => {
    tf.tidy(() => {
      const model = NETWORKS['batch-normalised']!()
      const [mean] = model.layers[1]!.nonTrainableWeights
      forward(chainOf(model), input(), { training: createRng('7') })
      const ours = mean!.read().clone()
      model.layers[1]!.nonTrainableWeights.forEach((w, i) =>
        w.write(i === 0 ? tf.zeros([4]) : tf.ones([4])),
      )
      model.apply(input(), { training: true })
      expectClose(ours, mean!.read())
      expect(Math.max(...ours.abs().dataSync())).toBeGreaterThan(0)
    })
  })
})

describe('dropout', () => {
  const model = () =>
    tf.sequential({ layers: [tf.layers.dropout({ rate: 0.25, inputShape: [10_000] })] })

  it('should zero its share while training, and keep the mean', () => {
    tf.tidy(() => {
      const [y] = forward(chainOf(model()), tf.ones([1, 10_000]), {
        training: createRng('7'),
      }).outputs
      const values = [...y!.dataSync()]
      expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / 0.75)]))
      expect(values.filter((value) => value === 0).length / 10_000).toBeCloseTo(0.25, 1)
    })
  })

  it('should do nothing in inference', () => {
    tf.tidy(() => {
      const [y] = forward(chainOf(model()), tf.ones([1, 10_000])).outputs
      expect(new Set(y!.dataSync())).toEqual(new Set([1]))
    })
  })
})

describe('chainOf', () => {
  it.each([
    [tf.layers.dense({ units: 2, name: 'odd', activation: 'tanh' }), 'odd (Dense) applies tanh'],
    [tf.layers.reLU({ maxValue: 6, name: 'odd' }), 'odd (ReLU) is capped'],
    [tf.layers.layerNormalization({ name: 'odd' }), 'odd (LayerNormalization) has no gradient'],
  ])('should refuse what it has no gradient for: %#', (layer, message) => {
    const model = tf.sequential({ layers: [tf.layers.inputLayer({ inputShape: [4] }), layer] })
    expect(() => chainOf(model)).toThrow(
      expect.objectContaining({
        code: 'GRAFT_LAYER_UNSUPPORTED',
        message: expect.stringContaining(message),
      }),
    )
    model.dispose()
  })
})

// Helpers

function dense(units: number, options: { activation?: 'relu'; useBias?: boolean } = {}) {
  return tf.layers.dense({
    units,
    kernelInitializer: tf.initializers.heNormal({ seed: units }),
    ...options,
  })
}

function conv(
  filters: number,
  options: {
    activation?: 'relu'
    useBias?: boolean
    padding?: 'valid' | 'same'
    inputShape?: number[]
  } = {},
) {
  const kernelInitializer = tf.initializers.heNormal({ seed: filters })
  return tf.layers.conv2d({
    filters,
    kernelSize: 3,
    padding: 'same',
    kernelInitializer,
    ...options,
  })
}

const input = () => tf.randomNormal([5, 6, 6, 2], 0, 1, 'float32', 11)
const weightsOfLogits = () => tf.randomNormal([5, 3], 0, 1, 'float32', 12)

function expectClose(actual: tf.Tensor, expected: tf.Tensor): void {
  expect(actual.shape).toEqual(expected.shape)
  const worst = tf.max(tf.abs(tf.sub(actual, expected))).dataSync()[0]
  expect(worst).toBeLessThan(1e-4)
}

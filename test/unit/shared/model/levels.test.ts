import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { parseArchitecture } from '../../../../shared/model/architectures.ts'
import { buildModel } from '../../../../shared/model/build-model.ts'
import { levelsOf, type Level } from '../../../../shared/model/levels.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { startTestEngine } from '../../../support/engine.ts'

beforeAll(startTestEngine)

describe('levelsOf', () => {
  it('should follow the channels of lenet through pooling and flatten', () => {
    const images = { inputShape: [28, 28, 1], numClasses: 10 }
    const model = buildModel(parseArchitecture('lenet', images), createRng('7'))
    const levels = levelsOf(model)
    expect(levels.map(summary)).toEqual([
      'conv1 6: conv1.kernel@3 conv1.bias@0 conv2.kernel@2',
      'conv2 16: conv2.kernel@3 conv2.bias@0 fc1.kernel@0x25',
      'fc1 120: fc1.kernel@1 fc1.bias@0 fc2.kernel@0',
      'fc2 84: fc2.kernel@1 fc2.bias@0 fc3.kernel@0',
      'fc3 10: fc3.kernel@1 fc3.bias@0',
    ])
    expect(levels.map(({ isHead }) => isHead)).toEqual([false, false, false, false, true])
    expect(levels.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4])
    model.dispose()
  })

  it('should take batch normalisation to the neurons before it', () => {
    const model = chain([
      tf.layers.conv2d({
        inputShape: [4, 4, 1],
        filters: 3,
        kernelSize: 3,
        name: 'c',
        useBias: false,
      }),
      tf.layers.batchNormalization({ name: 'n' }),
      tf.layers.activation({ activation: 'relu' }),
      tf.layers.dropout({ rate: 0.5 }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 2, name: 'd' }),
    ])
    const [level] = levelsOf(model)
    expect(summary(level!)).toBe(
      'c 3: c.kernel@3 n.gamma@0 n.beta@0 n.movingMean@0 n.movingVariance@0 d.kernel@0x4',
    )
    expect(level!.members.map(({ role }) => role)).toEqual([
      ...['kernel', 'gamma', 'beta', 'movingMean', 'movingVariance', 'reader'],
    ])
    model.dispose()
  })

  it.each([
    [tf.layers.lstm({ units: 2, name: 'odd' }), 'Layer odd (LSTM)'],
    [tf.layers.dense({ units: 2, name: 'odd', activation: 'softmax' }), 'applies softmax'],
    [tf.layers.dense({ units: 2, name: 'odd', activation: 'sigmoid' }), 'applies sigmoid'],
  ])('should refuse a layer it cannot follow by its name: %#', (layer, message) => {
    const input = layer.getClassName() === 'LSTM' ? [3, 4] : [4]
    const model = chain([tf.layers.inputLayer({ inputShape: input }), layer])
    expect(() => levelsOf(model)).toThrow(
      expect.objectContaining({
        code: 'GRAFT_LAYER_UNSUPPORTED',
        message: expect.stringContaining(message),
      }),
    )
    model.dispose()
  })

  it('should refuse a graph that branches', () => {
    const input = tf.input({ shape: [4] })
    const left = tf.layers.dense({ units: 2, name: 'left' }).apply(input) as tf.SymbolicTensor
    const right = tf.layers.dense({ units: 2, name: 'right' }).apply(input) as tf.SymbolicTensor
    const sum = tf.layers.add().apply([left, right]) as tf.SymbolicTensor
    const model = tf.model({ inputs: input, outputs: sum })
    expect(() => levelsOf(model)).toThrow('Layer right (Dense) does not simply follow')
    model.dispose()
  })
})

// Helpers

function summary({ layer, width, members }: Level): string {
  const texts = members.map(
    ({ weight, axis, repeats }) => `${weight}@${axis}${repeats === 1 ? '' : `x${repeats}`}`,
  )
  return `${layer} ${width}: ${texts.join(' ')}`
}

function chain(layers: tf.layers.Layer[]): tf.LayersModel {
  return tf.sequential({ layers })
}

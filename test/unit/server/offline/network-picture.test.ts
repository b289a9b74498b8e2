import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { describeNetwork } from '../../../../server/offline/network-description.ts'
import { networkPicture } from '../../../../server/offline/network-picture.ts'
import { planModel } from '../../../../server/offline/model-plan.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { startTestEngine } from '../../../support/engine.ts'

beforeAll(startTestEngine)

describe('networkPicture', () => {
  it('should draw levels and groups of a small network', async () => {
    expect(`\n${networkPicture(await description('lenet'))}\n`).toMatchInlineSnapshot(`
      "
      lenet: reads [28, 28, 1], tells 10 classes apart
      61,706 parameters, 5 levels, 5 groups of neurons

      Levels, input side first
        0 conv1  [28, 28, 6]      156 parameters
          layers conv1 relu_1
          neurons at conv1, behind activation at relu_1; group conv1
        1 conv2  [10, 10, 16]   2,416 parameters
          layers max_pool_2 conv2 relu_4
          neurons at conv2, behind activation at relu_4; group conv2
        2 fc1    [120]         48,120 parameters
          layers max_pool_5 flatten_6 fc1 relu_8
          neurons at fc1, behind activation at relu_8; group fc1
        3 fc2    [84]          10,164 parameters
          layers fc2 relu_10
          neurons at fc2, behind activation at relu_10; group fc2
        4 fc3    [10]             850 parameters
          layers fc3
          neurons at fc3; group fc3

      Groups: neurons that go together, and the weights they lie on, as weight@axis
        conv1: 6 neurons
          made by conv1.kernel@3
          bias conv1.bias@0
          read by conv2.kernel@2
        conv2: 16 neurons
          made by conv2.kernel@3
          bias conv2.bias@0
          read by fc1.kernel@0 (25 places)
        fc1: 120 neurons
          made by fc1.kernel@1
          bias fc1.bias@0
          read by fc2.kernel@0
        fc2: 84 neurons
          made by fc2.kernel@1
          bias fc2.bias@0
          read by fc3.kernel@0
        fc3: 10 neurons (the classes)
          made by fc3.kernel@1
          bias fc3.bias@0
      "
    `)
  })

  it.each(['resnet18:16', 'vgg11-bn:16', 'vit:64x6'])(
    'should draw %s in 80 columns',
    async (spec) => {
      const lines = networkPicture(await description(spec)).split('\n')
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
    },
  )

  it('should name a residual stream, and what lies inside of a level', async () => {
    const text = networkPicture(await description('resnet18:16'))
    expect(text).toContain('conv1: 16 neurons (residual stream of 3 levels)')
    expect(text).toContain('layer1.0.conv1: 16 neurons (inside of a level)')
    expect(text).toContain('bn1.{gamma,beta,movingMean,movingVariance}@0')
  })
})

describe('describeNetwork', () => {
  it('should count every weight once, by levels and in all', async () => {
    for (const [spec, parameters, statistics] of [
      ['resnet18', 11_173_962, 9600],
      ['vgg11-bn', 9_231_114, 5504],
      ['vit', 1_205_642, 0],
      ['lenet', 61_706, 0],
    ] as const) {
      const network = await description(spec)
      expect(network).toMatchObject({ parameters, statistics })
      expect(network.levels.reduce((sum, level) => sum + level.parameters, 0)).toBe(parameters)
    }
  })

  it('should refuse a network that cannot be followed, naming the layer', () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 4, inputShape: [6] }),
        tf.layers.permute({ name: 'turn', dims: [1] }),
        tf.layers.dense({ units: 2 }),
      ],
    })
    expect(() => describeNetwork('own', model)).toThrow(/Layer turn.*GRAFT_LAYER_UNSUPPORTED/)
    model.dispose()
  })
})

// Helpers

async function description(spec: string) {
  const plan = planModel(spec)
  const model = await plan.build(createRng('model'))
  try {
    return describeNetwork(plan.name, model)
  } finally {
    model.dispose()
  }
}

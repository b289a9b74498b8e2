import type * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { parseArchitecture } from '../../../../../shared/model/architectures.ts'
import { buildModel } from '../../../../../shared/model/build-model.ts'
import { outputShapes } from '../../../../../shared/model/layer-shapes.ts'
import { layerNames } from '../../../../../shared/model/layer-spec.ts'
import { type NeuronGraph, neuronGraph } from '../../../../../shared/model/neuron-graph.ts'
import { weightSpecs } from '../../../../../shared/model/weight-specs.ts'
import { readWeights } from '../../../../../shared/model/weights.ts'
import { createRng } from '../../../../../shared/numeric/rng.ts'
import { evaluate } from '../../../../../shared/training/evaluate.ts'
import { fit } from '../../../../../shared/training/fit.ts'
import { startTestEngine } from '../../../../support/engine.ts'
import { expectNoLeak } from '../../../../support/expect-no-leak.ts'
import { syntheticExamples } from '../../../../support/synthetic-examples.ts'

const CIFAR = { inputShape: [32, 32, 3], numClasses: 10 }
const MNIST = { inputShape: [28, 28, 1], numClasses: 10 }
const SMALL = ['mlp:3072-20-10', 'lenet', 'vgg11:4', 'vgg11-bn:4', 'resnet18:4', 'vit:32x1']
const MODELS = [
  ...SMALL.map((spec) => ({ spec, data: CIFAR })),
  ...['lenet', 'resnet18:4', 'vit:64x2'].map((spec) => ({ spec, data: MNIST })),
]

beforeAll(startTestEngine)

describe.each(MODELS)('$spec on $data.inputShape', ({ spec, data }) => {
  const architecture = parseArchitecture(spec, data)

  it('should be built with the shapes that the architecture says', () => {
    const model = buildModel(architecture, createRng('7'))
    const names = layerNames(architecture.layers)
    expect(
      names.map((name) => (model.getLayer(name).output as tf.SymbolicTensor).shape.slice(1)),
    ).toEqual(outputShapes(architecture))
    model.dispose()
  })

  it('should have the weights that the architecture says, in their order', async () => {
    const model = buildModel(architecture, createRng('7'))
    const weights = await readWeights(model)
    expect(weights.map(({ name, shape }) => ({ name, shape }))).toEqual(weightSpecs(architecture))
    model.dispose()
  })

  it('should give finite logits', async () => {
    const model = buildModel(architecture, createRng('7'))
    const { loss } = await evaluate(model, examples(data, 8))
    expect(loss).toBeLessThan(100)
    model.dispose()
  })

  it('should be freed by dispose', () => {
    expectNoLeak(() => {
      buildModel(architecture, createRng('7')).dispose()
      return []
    })
  })
})

describe.each(SMALL.slice(2))('training %s', (spec) => {
  it('should lower the loss', async () => {
    const model = buildModel(parseArchitecture(spec, CIFAR), createRng('7'))
    const data = examples(CIFAR, 40)
    const losses: number[] = []
    await fit(model, data, {
      epochs: 8,
      batchSize: 20,
      optimizer: 'adam',
      learningRate: 0.003,
      rng: createRng('7'),
      onProgress: ({ loss }) => losses.push(loss),
    })
    expect(losses).toHaveLength(16)
    expect(losses.at(-1)).toBeLessThan(losses[1]! / 2)
    model.dispose()
  })
})

describe('levels', () => {
  it.each(['vgg11:4', 'vgg11-bn:4'])('should be one a convolution for %s', (spec) => {
    expect(levelsOf(spec)).toEqual([
      ...['conv1 4', 'conv2 8', 'conv3 16', 'conv4 16'],
      ...['conv5 32', 'conv6 32', 'conv7 32', 'conv8 32', 'fc 10'],
    ])
  })

  it('should be one a block for resnet18', () => {
    // A projection is made last, so a block that has one is named after it.
    expect(levelsOf('resnet18:4')).toEqual([
      'conv1 4',
      ...['layer1.0.conv2 4', 'layer1.1.conv2 4'],
      ...['layer2.0.downsample.0 8', 'layer2.1.conv2 8'],
      ...['layer3.0.downsample.0 16', 'layer3.1.conv2 16'],
      ...['layer4.0.downsample.0 32', 'layer4.1.conv2 32'],
      'fc 10',
    ])
  })

  it('should be two a block for vit, all in one residual stream', () => {
    expect(levelsOf('vit:64x2')).toEqual([
      'patch_embed.proj 64',
      ...['blocks.0.attn 64', 'blocks.0.mlp.fc2 64'],
      ...['blocks.1.attn 64', 'blocks.1.mlp.fc2 64'],
      'head 10',
    ])
  })
})

describe('groups', () => {
  it('should tie the channels of a stage of resnet18 together, and leave those within blocks apart', () => {
    expect(groupsOf('resnet18:4')).toEqual([
      ...['conv1 4', 'layer1.0.conv1 4', 'layer1.1.conv1 4'],
      ...['layer2.0.conv1 8', 'layer2.0.conv2 8', 'layer2.1.conv1 8'],
      ...['layer3.0.conv1 16', 'layer3.0.conv2 16', 'layer3.1.conv1 16'],
      ...['layer4.0.conv1 32', 'layer4.0.conv2 32', 'layer4.1.conv1 32'],
      'fc 10',
    ])
  })

  it('should take the heads of vit for neurons', () => {
    expect(groupsOf('vit:64x2')).toEqual([
      'patch_embed.proj 64',
      ...['blocks.0.attn 2', 'blocks.0.mlp.fc1 256'],
      ...['blocks.1.attn 2', 'blocks.1.mlp.fc1 256'],
      'head 10',
    ])
  })
})

// Helpers

function levelsOf(spec: string): string[] {
  const { levels, groups } = graphOf(spec)
  return levels.map(({ name, groups: made }) => `${name} ${made.map((i) => groups[i]!.width)}`)
}

function groupsOf(spec: string): string[] {
  return graphOf(spec).groups.map(({ name, width }) => `${name} ${width}`)
}

function graphOf(spec: string): NeuronGraph {
  const model = buildModel(parseArchitecture(spec, CIFAR), createRng('7'))
  const graph = neuronGraph(model)
  model.dispose()
  return graph
}

function examples({ inputShape, numClasses }: typeof CIFAR, size: number) {
  const numInputs = inputShape.reduce((product, dim) => product * dim, 1)
  const rng = createRng('examples')
  return { ...syntheticExamples({ rng, size, numClasses, numInputs, noise: 0.5 }), inputShape }
}

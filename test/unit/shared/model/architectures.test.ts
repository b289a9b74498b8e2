import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ERRORS } from '../../../../shared/errors.ts'
import { RUN_OPTIONS } from '../../../../shared/command/run-options.ts'
import { ARCHITECTURES, parseArchitecture } from '../../../../shared/model/architectures.ts'
import { outputShapes } from '../../../../shared/model/layer-shapes.ts'
import { weightSpecs } from '../../../../shared/model/weight-specs.ts'
import { sizeOf } from '../../../../shared/model/weights.ts'

const MNIST = { inputShape: [28, 28, 1], numClasses: 10 }
const CIFAR = { inputShape: [32, 32, 3], numClasses: 10 }

describe('parseArchitecture', () => {
  it('should take mlp for three hidden layers of 512', () => {
    const architecture = parseArchitecture('mlp', MNIST)
    expect(architecture.name).toBe('mlp:784-512-512-512-10')
    expect(numParameters('mlp', MNIST)).toBe(932_362)
    expect(parseArchitecture('mlp', CIFAR).name).toBe('mlp:3072-512-512-512-10')
  })

  it('should lay out lenet as LeNet-5', () => {
    const architecture = parseArchitecture('lenet', MNIST)
    expect(architecture.name).toBe('lenet')
    expect(
      weightSpecs(architecture).map(({ name, shape }) => `${name} ${shape.join('x')}`),
    ).toEqual([
      'conv1.kernel 5x5x1x6',
      'conv1.bias 6',
      'conv2.kernel 5x5x6x16',
      'conv2.bias 16',
      'fc1.kernel 400x120',
      'fc1.bias 120',
      'fc2.kernel 120x84',
      'fc2.bias 84',
      'fc3.kernel 84x10',
      'fc3.bias 10',
    ])
    expect(numParameters('lenet', MNIST)).toBe(61_706)
    expect(numParameters('lenet', CIFAR)).toBe(83_126)
  })

  it.each([
    { spec: 'vgg11', data: CIFAR, parameters: 9_225_610, moving: 0 },
    { spec: 'vgg11-bn', data: CIFAR, parameters: 9_231_114, moving: 5_504 },
    { spec: 'resnet18', data: CIFAR, parameters: 11_173_962, moving: 9_600 },
    { spec: 'resnet18', data: MNIST, parameters: 11_172_810, moving: 9_600 },
    { spec: 'vit', data: CIFAR, parameters: 1_205_642, moving: 0 },
    { spec: 'vit', data: MNIST, parameters: 1_199_626, moving: 0 },
  ])(
    'should give $spec for $data.inputShape $parameters parameters',
    ({ spec, data, parameters, moving }) => {
      expect(numParameters(spec, data)).toBe(parameters + moving)
      expect(numParameters(spec, data, /\.moving/)).toBe(moving)
    },
  )

  it('should scale models by the numbers behind their names', () => {
    expect(shapeOf('vgg11:4', 'conv8.kernel')).toEqual([3, 3, 32, 32])
    expect(shapeOf('resnet18:8', 'layer4.0.downsample.0.kernel')).toEqual([1, 1, 32, 64])
    expect(shapeOf('vit:96x2', 'blocks.1.attn.queryKernel')).toEqual([96, 3, 32])
    expect(shapeOf('vit:20x1', 'blocks.0.attn.queryKernel')).toEqual([20, 1, 20])
  })

  it('should add to each block what the block read', () => {
    const sums = (spec: string) =>
      parseArchitecture(spec, CIFAR).layers.flatMap(({ kind, inputs = [] }) =>
        kind === 'add' ? [inputs.join(' ')] : [],
      )
    expect(sums('vit:32x2')).toEqual([
      ...['pos_embed blocks.0.attn', 'blocks.0.add1 blocks.0.mlp.fc2'],
      ...['blocks.0.add2 blocks.1.attn', 'blocks.1.add1 blocks.1.mlp.fc2'],
    ])
    expect(sums('resnet18').slice(0, 4)).toEqual([
      ...['layer1.0.bn2 relu', 'layer1.1.bn2 layer1.0.relu2'],
      ...['layer2.0.bn2 layer2.0.downsample.1', 'layer2.1.bn2 layer2.0.relu2'],
    ])
  })

  it('should pad strided convolutions on all sides alike, as PyTorch does', () => {
    const { layers } = parseArchitecture('resnet18', CIFAR)
    const strided = layers.flatMap((layer, i) =>
      layer.kind === 'conv2d' && layer.strides > 1 && layer.kernelSize > 1 ? [i] : [],
    )
    expect(strided.map((i) => layers[i]!.name)).toEqual(
      [2, 3, 4].map((stage) => `layer${stage}.0.conv1`),
    )
    for (const i of strided) {
      expect(layers[i]).toMatchObject({ padding: 'valid' })
      expect(layers[i - 1]).toMatchObject({ kind: 'zero-pad', size: 1 })
    }
  })

  it.each([
    ['vgg11:64', 'vgg11'],
    ['vgg11-bn:8', 'vgg11-bn:8'],
    ['resnet18:64', 'resnet18'],
    ['resnet18:4', 'resnet18:4'],
    ['vit:128x6', 'vit'],
    ['vit:128x5', 'vit:128x5'],
  ])('should name %s %s, and read that name again', (spec, name) => {
    const architecture = parseArchitecture(spec, CIFAR)
    expect(architecture.name).toBe(name)
    expect(parseArchitecture(name, CIFAR)).toEqual(architecture)
  })

  it('should be told of in help and remedy, with every model', () => {
    for (const { usage } of Object.values(ARCHITECTURES)) {
      expect(RUN_OPTIONS.model.description).toContain(usage)
      expect(ERRORS.GRAFT_ARCHITECTURE_INVALID.remedy).toContain(usage)
    }
  })

  it('should leave flat inputs as they are', () => {
    const { layers } = parseArchitecture('mlp:5-4-3', { inputShape: [5], numClasses: 3 })
    expect(layers.map(({ kind }) => kind)).toEqual(['dense', 'relu', 'dense'])
  })

  it.each([
    ['resnet', 'There is no model "resnet". Choose mlp[:IN-HIDDEN-...-OUT], lenet, vgg11[:WIDTH]'],
    ['mlp:784', 'no model'],
    ['mlp:784--10', 'no model'],
    ['constructor', 'no model'],
    ['lenet:5', 'There is no model "lenet:5": lenet takes no numbers'],
    ['vgg11:0', 'There is no model "vgg11:0": WIDTH must be a whole number from 1 to 1024'],
    ['resnet18:1025', 'WIDTH must be'],
    ['vit:48x2', 'There is no model "vit:48x2": WIDTH must be a whole number to 32, or a multiple'],
    ['vit:64x49', 'DEPTH one from 1 to 48'],
    ['vit:64', 'WIDTH must be'],
    ['vgg11', 'vgg11 halves its maps 5 times, so it reads images from 32 x 32, not [28,28,1]'],
    ['mlp:784-0-10', 'no model'],
    ['mlp:100-10', 'mlp:100-10 reads 100 inputs, but an example of shape [28,28,1] has 784'],
    ['mlp:784-20-9', 'gives [9], but there are 10 classes'],
  ])('should refuse %s and say why', (spec, message) => {
    expect(() => parseArchitecture(spec, MNIST)).toThrow(
      expect.objectContaining({
        code: 'GRAFT_ARCHITECTURE_INVALID',
        message: expect.stringContaining(message),
      }),
    )
  })

  it('should refuse images too small for lenet', () => {
    expect(() => parseArchitecture('lenet', { inputShape: [8, 8, 1], numClasses: 10 })).toThrow(
      'cannot read inputs of shape [4,4,6]',
    )
    expect(() => parseArchitecture('lenet', { inputShape: [784], numClasses: 10 })).toThrow(
      'Layer conv1 (conv2d) of lenet cannot read inputs of shape [784]',
    )
  })

  it('should give the same architecture for its own name', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 999 }), { minLength: 2, maxLength: 6 })
    fc.assert(
      fc.property(sizes, (sizes) => {
        const data = { inputShape: [sizes[0]!], numClasses: sizes.at(-1)! }
        const architecture = parseArchitecture(`mlp:${sizes.join('-')}`, data)
        expect(parseArchitecture(architecture.name, data)).toEqual(architecture)
        expect(outputShapes(architecture).at(-1)).toEqual([data.numClasses])
      }),
    )
  })
})

// Helpers

function numParameters(spec: string, data: typeof MNIST, names = /./): number {
  return weightSpecs(parseArchitecture(spec, data))
    .filter(({ name }) => names.test(name))
    .reduce((sum, { shape }) => sum + sizeOf(shape), 0)
}

function shapeOf(spec: string, weight: string) {
  return weightSpecs(parseArchitecture(spec, CIFAR)).find(({ name }) => name === weight)?.shape
}

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { outputShapes, parseArchitecture } from '../../../../shared/model/architecture.ts'
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

  it('should leave flat inputs as they are', () => {
    const { layers } = parseArchitecture('mlp:5-4-3', { inputShape: [5], numClasses: 3 })
    expect(layers.map(({ kind }) => kind)).toEqual(['dense', 'relu', 'dense'])
  })

  it.each([
    ['resnet', 'There is no model "resnet". Choose mlp, mlp:IN-HIDDEN-...-OUT or lenet.'],
    ['mlp:784', 'no model'],
    ['mlp:784--10', 'no model'],
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
      'A conv2d layer of lenet cannot read inputs of shape [784]',
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

function numParameters(spec: string, data: typeof MNIST): number {
  return weightSpecs(parseArchitecture(spec, data)).reduce(
    (sum, { shape }) => sum + sizeOf(shape),
    0,
  )
}

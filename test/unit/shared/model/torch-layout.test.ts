import { describe, expect, it } from 'vitest'
import { parseArchitecture, type Architecture } from '../../../../shared/model/architecture.ts'
import { initialWeights } from '../../../../shared/model/build-model.ts'
import { fromTorch, toTorch } from '../../../../shared/model/torch-layout.ts'
import type { NamedTensor } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'

describe('fromTorch', () => {
  it('should turn [out, in] into [in, out]', () => {
    const architecture = parseArchitecture('mlp:3-2', { inputShape: [3], numClasses: 2 })
    const [kernel, bias] = fromTorch(
      [tensor('fc1.bias', [2], [7, 8]), tensor('fc1.weight', [2, 3], [1, 2, 3, 4, 5, 6])],
      architecture,
    )
    expect(kernel).toEqual(tensor('fc1.kernel', [3, 2], [1, 4, 2, 5, 3, 6]))
    expect(bias).toEqual(tensor('fc1.bias', [2], [7, 8]))
  })

  it('should turn [out, in, kh, kw] into [kh, kw, in, out], and channel-major inputs into pixel-major', () => {
    const [kernel, dense] = fromTorch(
      [
        // Values tell their indices: out, in, row, column.
        tensor('conv1.weight', [2, 1, 2, 2], [1000, 1001, 1010, 1011, 2000, 2001, 2010, 2011]),
        // Values tell channel, row, column of the map [1, 2, 2] that was flattened.
        tensor('fc1.weight', [1, 4], [100, 101, 200, 201]),
      ],
      smallConv(),
    )
    expect(kernel).toEqual(
      tensor('conv1.kernel', [2, 2, 1, 2], [1000, 2000, 1001, 2001, 1010, 2010, 1011, 2011]),
    )
    expect(dense).toEqual(tensor('fc1.kernel', [4, 1], [100, 200, 101, 201]))
  })

  it('should match layers by the natural order of their names when those are others', () => {
    const architecture = parseArchitecture('mlp:1-1-1', { inputShape: [1], numClasses: 1 })
    const file = [
      tensor('net.10.weight', [1, 1], [2]),
      tensor('net.10.bias', [1], [0]),
      tensor('net.9.weight', [1, 1], [1]),
      tensor('net.9.bias', [1], [0]),
    ]
    const weights = fromTorch(file, architecture)
    expect(weights.map(({ name, data }) => `${name} ${data[0] ?? ''}`)).toEqual([
      'fc1.kernel 1',
      'fc1.bias 0',
      'fc2.kernel 2',
      'fc2.bias 0',
    ])
  })

  it('should refuse tensors of another network', () => {
    const architecture = parseArchitecture('mlp:3-2', { inputShape: [3], numClasses: 2 })
    const bias = tensor('fc1.bias', [2], [7, 8])
    expect(() => fromTorch([bias], architecture)).toThrow(
      'The file has 1 tensors, mlp:3-2 has 2. Give every client',
    )
    expect(() =>
      fromTorch([bias, tensor('fc1.weight', [3, 2], [1, 2, 3, 4, 5, 6])], architecture),
    ).toThrow('Weight 0 is fc1.weight [3,2], not fc1.weight [2,3].')
  })
})

describe('toTorch', () => {
  it.each(['lenet', 'mlp:192-5-3'])('should be undone by fromTorch for %s', (spec) => {
    const data = { inputShape: [8, 8, 3], numClasses: 3 }
    const architecture = parseArchitecture(spec, spec === 'lenet' ? IMAGES : data)
    const weights = initialWeights(architecture, createRng('7'))
    const torch = toTorch(weights, architecture)
    expect(torch.map(({ shape }) => shape)).not.toEqual(weights.map(({ shape }) => shape))
    expect(fromTorch(torch, architecture)).toEqual(weights)
  })

  it('should name batch normalisation as PyTorch does', () => {
    const architecture: Architecture = {
      ...smallConv(),
      layers: [{ kind: 'flatten' }, { kind: 'batch-norm', name: 'bn1' }],
    }
    const names = toTorch(initialWeights(architecture, createRng('7')), architecture)
    expect(names.map(({ name }) => name)).toEqual([
      'bn1.weight',
      'bn1.bias',
      'bn1.running_mean',
      'bn1.running_var',
    ])
  })
})

// Helpers

const IMAGES = { inputShape: [16, 16, 3], numClasses: 3 }

function smallConv(): Architecture {
  return {
    name: 'small',
    inputShape: [2, 3, 1],
    numClasses: 1,
    layers: [
      {
        kind: 'conv2d',
        name: 'conv1',
        filters: 2,
        kernelSize: 2,
        strides: 1,
        padding: 'valid',
        bias: false,
      },
      { kind: 'flatten' },
      { kind: 'dense', name: 'fc1', units: 1, bias: false },
    ],
  }
}

function tensor(name: string, shape: number[], values: number[]): NamedTensor {
  return { name, shape, data: Float32Array.from(values) }
}

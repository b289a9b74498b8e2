import { describe, expect, it } from 'vitest'
import type { Architecture } from '../../../../shared/model/architecture.ts'
import { parseArchitecture } from '../../../../shared/model/architectures.ts'
import { initialWeights } from '../../../../shared/model/initial-weights.ts'
import { fromTorch, toTorch } from '../../../../shared/model/torch-layout.ts'
import type { NamedTensor, Weights } from '../../../../shared/model/weights.ts'
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

  it('should take query, key and value from the rows of one tensor', () => {
    // Values tell row and column of in_proj_weight, [3 * head * dim, in].
    const rows = Array.from({ length: 6 }, (_, row) => [10 * row, 10 * row + 1]).flat()
    const weights = fromTorch(
      [
        tensor('attn.in_proj_weight', [6, 2], rows),
        tensor('attn.in_proj_bias', [6], [0, 1, 2, 3, 4, 5]),
        tensor('attn.out_proj.weight', [2, 2], [1, 2, 3, 4]),
        tensor('attn.out_proj.bias', [2], [7, 8]),
      ],
      smallAttention(),
    )
    expect(weights).toEqual([
      tensor('attn.queryKernel', [2, 2, 1], [0, 10, 1, 11]),
      tensor('attn.queryBias', [2, 1], [0, 1]),
      tensor('attn.keyKernel', [2, 2, 1], [20, 30, 21, 31]),
      tensor('attn.keyBias', [2, 1], [2, 3]),
      tensor('attn.valueKernel', [2, 2, 1], [40, 50, 41, 51]),
      tensor('attn.valueBias', [2, 1], [4, 5]),
      tensor('attn.outputKernel', [2, 1, 2], [1, 3, 2, 4]),
      tensor('attn.outputBias', [2], [7, 8]),
    ])
  })

  it('should move the channels of what normalises a flattened map', () => {
    const architecture: Architecture = {
      ...smallConv(),
      layers: [{ kind: 'flatten' }, { kind: 'batch-norm', name: 'bn1' }],
      inputShape: [1, 2, 2],
    }
    const statistics = ['weight', 'bias', 'running_mean', 'running_var']
    // Values tell channel and column.
    const file = statistics.map((name) => tensor(`bn1.${name}`, [4], [10, 11, 20, 21]))
    for (const { data } of fromTorch(file, architecture)) {
      expect([...data]).toEqual([10, 20, 11, 21])
    }
  })

  it('should take positions with and without an axis for the batch', () => {
    const architecture: Architecture = {
      name: 'positions',
      inputShape: [2, 3],
      numClasses: 3,
      layers: [{ kind: 'position-embedding', name: 'pos_embed' }],
    }
    const values = [1, 2, 3, 4, 5, 6]
    for (const shape of [
      [1, 2, 3],
      [2, 3],
    ]) {
      for (const name of ['pos_embed', 'encoder.pos_embedding']) {
        expect(fromTorch([tensor(name, shape, values)], architecture)).toEqual([
          tensor('pos_embed.positions', [2, 3], values),
        ])
      }
    }
  })

  it('should refuse tensors of another network', () => {
    const architecture = parseArchitecture('mlp:3-2', { inputShape: [3], numClasses: 2 })
    const bias = tensor('fc1.bias', [2], [7, 8])
    expect(() => fromTorch([bias], architecture)).toThrow(
      'The file has 1 tensors, mlp:3-2 has 2. Give every network',
    )
    expect(() =>
      fromTorch([bias, tensor('fc1.weight', [3, 2], [1, 2, 3, 4, 5, 6])], architecture),
    ).toThrow('Weight 0 is fc1.weight [3,2], not fc1.weight [2,3].')
  })
})

describe('toTorch', () => {
  it.each(['mlp:3072-5-3', ...['lenet', 'vgg11:2', 'vgg11-bn:2', 'resnet18:2', 'vit:64x2']])(
    'should be undone by fromTorch for %s',
    (spec) => {
      const architecture = parseArchitecture(spec, IMAGES)
      const weights = numbered(initialWeights(architecture, createRng('7')))
      const torch = toTorch(weights, architecture)
      expect(torch.map(({ shape }) => shape)).not.toEqual(weights.map(({ shape }) => shape))
      expect(fromTorch(torch, architecture)).toEqual(weights)
    },
  )

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

const IMAGES = { inputShape: [32, 32, 3], numClasses: 3 }

/** No two values of a weight are alike, so none can be mistaken for another. */
function numbered(weights: Weights): Weights {
  return weights.map((weight) => ({ ...weight, data: weight.data.map((_, i) => i) }))
}

function smallAttention(): Architecture {
  return {
    name: 'attention',
    inputShape: [3, 2],
    numClasses: 2,
    layers: [{ kind: 'self-attention', name: 'attn', numHeads: 2, headDim: 1, units: 2 }],
  }
}

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

import { describe, expect, it } from 'vitest'
import type { Architecture } from '../../../../shared/model/architecture.ts'
import { layerShapes, outputShapes } from '../../../../shared/model/layer-shapes.ts'
import type { LayerSpec } from '../../../../shared/model/layer-spec.ts'

describe('outputShapes', () => {
  it('should follow each layer to what it reads', () => {
    const architecture = network([
      { kind: 'zero-pad', size: 1 },
      conv('a', { strides: 2, padding: 'valid' }),
      { ...conv('b', { strides: 1, padding: 'same' }), inputs: ['input'] },
      { kind: 'max-pool', size: 2 },
      { kind: 'add', inputs: ['a', 'max_pool_3'] },
      { kind: 'tokens' },
      { kind: 'position-embedding', name: 'p' },
      { kind: 'self-attention', name: 's', numHeads: 2, headDim: 5, units: 6 },
      { kind: 'layer-norm', name: 'n' },
      { kind: 'dense', name: 'd', units: 7, bias: true },
      { kind: 'global-average-pool' },
    ])
    expect(outputShapes(architecture).map(String)).toEqual([
      ...['10,10,2', '4,4,4', '8,8,4', '4,4,4', '4,4,4'],
      ...['16,4', '16,4', '16,6', '16,6', '16,7', '7'],
    ])
    expect(layerShapes(architecture)[4]!.inputs).toEqual([
      [4, 4, 4],
      [4, 4, 4],
    ])
  })

  it.each<[string, LayerSpec[], string]>([
    [
      'a sum of two shapes',
      [
        { kind: 'zero-pad', size: 1 },
        { kind: 'add', inputs: ['input', 'zero_pad_0'] },
      ],
      'Layer add_1 (add) of test cannot read inputs of shape [8,8,2] and [10,10,2].',
    ],
    ['a sum of one map', [{ kind: 'add' }], 'Layer add_0 (add)'],
    ['a map read as tokens', [{ kind: 'position-embedding', name: 'p' }], 'Layer p (position'],
    ['two inputs where one is read', [{ kind: 'relu', inputs: ['input', 'input'] }], 'relu_0'],
    ['a dense layer on a map', [{ kind: 'dense', name: 'd', units: 1, bias: true }], 'Layer d'],
  ])('should refuse %s', (_, layers, message) => {
    expect(() => outputShapes(network(layers))).toThrow(
      expect.objectContaining({
        code: 'GRAFT_ARCHITECTURE_INVALID',
        message: expect.stringContaining(message),
      }),
    )
  })

  it('should take names that cannot be for a mistake in the program', () => {
    const later: LayerSpec[] = [
      { kind: 'relu', inputs: ['b'] },
      { kind: 'relu', name: 'b' },
    ]
    expect(() => outputShapes(network(later))).toThrow('no layer before relu_0 is named b')
    const twice: LayerSpec[] = [
      { kind: 'relu', name: 'a' },
      { kind: 'relu', name: 'a' },
    ]
    expect(() => outputShapes(network(twice))).toThrow(RangeError)
  })
})

// Helpers

function network(layers: readonly LayerSpec[]): Architecture {
  return { name: 'test', inputShape: [8, 8, 2], numClasses: 7, layers }
}

function conv(
  name: string,
  window: { readonly strides: number; readonly padding: 'same' | 'valid' },
): LayerSpec {
  return { kind: 'conv2d', name, filters: 4, kernelSize: 3, bias: true, ...window }
}

import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { parseArchitecture } from '../../../../shared/model/architectures.ts'
import { buildModel } from '../../../../shared/model/build-model.ts'
import { PositionEmbedding } from '../../../../shared/model/layers/position-embedding.ts'
import { SelfAttention } from '../../../../shared/model/layers/self-attention.ts'
import {
  headGroup,
  type NeuronGraph,
  neuronGraph,
  shapesWith,
  widthsOf,
} from '../../../../shared/model/neuron-graph.ts'
import type { AxisLayout } from '../../../../shared/model/neurons.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { startTestEngine } from '../../../support/engine.ts'

beforeAll(startTestEngine)

type Tensor = tf.SymbolicTensor
const { layers } = tf

/** Input shape; the network; then its groups, and its levels as `name from-pre-post groups`. */
const NETWORKS: Record<string, [shape: number[], (x: Tensor) => Tensor, string[], string[]]> = {
  'conv, batch norm, relu, pool, flatten, dense': [
    [4, 4, 1],
    (x) =>
      chain(
        x,
        conv('c', 3, { useBias: false }),
        layers.batchNormalization({ name: 'n' }),
        layers.activation({ activation: 'relu' }),
        layers.maxPooling2d({ poolSize: 2 }),
        layers.dropout({ rate: 0.5 }),
        layers.flatten(),
        dense('d', 2),
      ),
    [
      'c 3: c.kernel@3 n.gamma@0 n.beta@0 n.movingMean@0 n.movingVariance@0 d.kernel@0(4 times 0)',
      'd 2 head: d.kernel@1 d.bias@0',
    ],
    ['c 0-1-2 [0]', 'd 3-6-6 [1]'],
  ],
  'a residual block with an identity shortcut': [
    [4, 4, 2],
    (x) => {
      const stem = chain(x, conv('stem', 3), layers.reLU())
      const inner = chain(stem, conv('a', 5), layers.reLU(), conv('b', 3))
      return chain([inner, stem], layers.add({ name: 'sum' }), layers.reLU(), ...head())
    },
    [
      'stem 3: stem.kernel@3 stem.bias@0 a.kernel@2 b.kernel@3 b.bias@0 head.kernel@0',
      'a 5: a.kernel@3 a.bias@0 b.kernel@2',
      'head 2 head: head.kernel@1 head.bias@0',
    ],
    ['stem 0-0-1 [0]', 'b 2-5-6 [0]', 'head 7-8-8 [2]'],
  ],
  'a residual block with a projection shortcut': [
    [4, 4, 2],
    (x) => {
      const stem = chain(x, conv('stem', 3), layers.reLU())
      const inner = chain(stem, conv('a', 5), layers.reLU(), conv('b', 4))
      const skip = chain(stem, conv('skip', 4), layers.batchNormalization({ name: 'n' }))
      return chain([inner, skip], layers.add({ name: 'sum' }), layers.reLU(), ...head())
    },
    [
      'stem 3: stem.kernel@3 stem.bias@0 a.kernel@2 skip.kernel@2',
      'a 5: a.kernel@3 a.bias@0 b.kernel@2',
      'b 4: b.kernel@3 b.bias@0 skip.kernel@3 skip.bias@0 n.gamma@0 n.beta@0 n.movingMean@0 n.movingVariance@0 head.kernel@0',
      'head 2 head: head.kernel@1 head.bias@0',
    ],
    ['stem 0-0-1 [0]', 'skip 2-7-8 [2]', 'head 9-10-10 [3]'],
  ],
  'a depthwise-separable block': [
    [4, 4, 2],
    (x) =>
      chain(
        x,
        conv('stem', 3),
        layers.depthwiseConv2d({ name: 'dw', kernelSize: 3, depthMultiplier: 2 }),
        layers.batchNormalization({ name: 'n' }),
        layers.reLU(),
        conv('pw', 4),
        layers.separableConv2d({ name: 'sep', filters: 5, kernelSize: 1, activation: 'relu' }),
        ...head(),
      ),
    [
      'stem 3: stem.kernel@3 stem.bias@0 dw.depthwiseKernel@2 dw.bias@0(0 each 2) n.gamma@0(0 each 2) n.beta@0(0 each 2) n.movingMean@0(0 each 2) n.movingVariance@0(0 each 2) pw.kernel@2(0 each 2)',
      'pw 4: pw.kernel@3 pw.bias@0 sep.depthwiseKernel@2 sep.pointwiseKernel@2',
      'sep 5: sep.pointwiseKernel@3 sep.bias@0 head.kernel@0',
      'head 2 head: head.kernel@1 head.bias@0',
    ],
    [
      'stem 0-0-0 [0]',
      'dw 1-3-4 [0]',
      'pw 5-5-5 [1]',
      'sep 6-6-6 [1]',
      'sep.2 7-7-8 [2]',
      'head 9-10-10 [3]',
    ],
  ],
  'a concatenation of branches, flattened': [
    [2, 2, 1],
    (x) => {
      const stem = chain(x, conv('stem', 3))
      const both = chain([stem, chain(stem, conv('a', 4))], layers.concatenate())
      const all = chain([both, chain(both, conv('b', 2))], layers.concatenate())
      return chain(
        all,
        layers.batchNormalization({ name: 'n' }),
        layers.flatten(),
        dense('head', 2),
      )
    },
    [
      'stem 3: stem.kernel@3 stem.bias@0 a.kernel@2 b.kernel@2([0, 1]) n.gamma@0([0, 1, 2]) n.beta@0([0, 1, 2]) n.movingMean@0([0, 1, 2]) n.movingVariance@0([0, 1, 2]) head.kernel@0(4 times [0, 1, 2])',
      'a 4: a.kernel@3 a.bias@0 b.kernel@2([0, 1]) n.gamma@0([0, 1, 2]) n.beta@0([0, 1, 2]) n.movingMean@0([0, 1, 2]) n.movingVariance@0([0, 1, 2]) head.kernel@0(4 times [0, 1, 2])',
      'b 2: b.kernel@3 b.bias@0 n.gamma@0([0, 1, 2]) n.beta@0([0, 1, 2]) n.movingMean@0([0, 1, 2]) n.movingVariance@0([0, 1, 2]) head.kernel@0(4 times [0, 1, 2])',
      'head 2 head: head.kernel@1 head.bias@0',
    ],
    ['stem 0-0-0 [0]', 'a 1-2-2 [0, 1]', 'b 3-5-5 [0, 1, 2]', 'head 6-7-7 [3]'],
  ],
  'a squeeze-and-excite gate': [
    [4, 4, 2],
    (x) => {
      const stem = chain(x, conv('stem', 3), layers.reLU())
      const gate = chain(
        stem,
        layers.globalAveragePooling2d({}),
        dense('squeeze', 2, 'relu'),
        dense('excite', 3, 'sigmoid'),
        layers.reshape({ targetShape: [1, 1, 3] }),
      )
      return chain([stem, gate], layers.multiply(), ...head())
    },
    [
      'stem 3: stem.kernel@3 stem.bias@0 squeeze.kernel@0 excite.kernel@1 excite.bias@0 head.kernel@0',
      'squeeze 2: squeeze.kernel@1 squeeze.bias@0 excite.kernel@0',
      'head 2 head: head.kernel@1 head.bias@0',
    ],
    ['stem 0-0-1 [0]', 'excite 2-8-8 [0]', 'head 9-10-10 [2]'],
  ],
  'a transformer block': [
    [4, 4, 1],
    (x) => {
      const patches = chain(
        x,
        layers.conv2d({ name: 'patch', filters: 6, kernelSize: 2, strides: 2 }),
        layers.reshape({ targetShape: [4, 6] }),
        new PositionEmbedding({ name: 'pos' }),
      )
      const attended = chain(
        patches,
        layers.layerNormalization({ name: 'n1' }),
        new SelfAttention({ name: 'attn', numHeads: 3, headDim: 2, units: 6 }),
      )
      const middle = chain([patches, attended], layers.add())
      const mixed = chain(
        middle,
        layers.layerNormalization({ name: 'n2' }),
        dense('up', 8),
        layers.activation({ activation: 'gelu' } as never),
        dense('down', 6),
      )
      return chain(
        chain([middle, mixed], layers.add()),
        layers.layerNormalization({ name: 'n3' }),
        layers.globalAveragePooling1d({}),
        dense('head', 2),
      )
    },
    [
      'patch 6: patch.kernel@3 patch.bias@0 pos.positions@1 n1.gamma@0 n1.beta@0 attn.queryKernel@0 attn.keyKernel@0 attn.valueKernel@0 attn.outputKernel@2 attn.outputBias@0 n2.gamma@0 n2.beta@0 up.kernel@0 down.kernel@1 down.bias@0 n3.gamma@0 n3.beta@0 head.kernel@0',
      'attn 3: attn.queryKernel@1 attn.queryBias@0 attn.keyKernel@1 attn.keyBias@0 attn.valueKernel@1 attn.valueBias@0 attn.outputKernel@0',
      'up 8: up.kernel@1 up.bias@0 down.kernel@0',
      'head 2 head: head.kernel@1 head.bias@0',
    ],
    ['patch 0-2-2 [0]', 'attn 3-6-6 [0]', 'down 7-11-11 [0]', 'head 12-14-14 [3]'],
  ],
  'tokens, averaged': [
    [5],
    (x) =>
      chain(
        x,
        layers.embedding({ name: 'table', inputDim: 7, outputDim: 4 }),
        layers.globalAveragePooling1d({}),
        dense('head', 2),
      ),
    ['table 4: table.embeddings@1 head.kernel@0', 'head 2 head: head.kernel@1 head.bias@0'],
    ['table 0-0-0 [0]', 'head 1-2-2 [1]'],
  ],
  'a group added to a concatenation': [
    [3],
    (x) => {
      const [a, b, c] = [chain(x, dense('a', 5)), chain(x, dense('b', 2)), chain(x, dense('c', 3))]
      return chain([a, chain([b, c], layers.concatenate())], layers.add(), dense('head', 2))
    },
    [
      'a 2: a.kernel@1([0, 1]) a.bias@0([0, 1]) b.kernel@1 b.bias@0 head.kernel@0([0, 1])',
      'a.2 3: a.kernel@1([0, 1]) a.bias@0([0, 1]) c.kernel@1 c.bias@0 head.kernel@0([0, 1])',
      'head 2 head: head.kernel@1 head.bias@0',
    ],
    ['c 0-4-4 [0, 1]', 'head 5-5-5 [2]'],
  ],
  'a group added to the network input': [
    [3],
    (x) => chain([x, chain(x, dense('a', 4), dense('b', 3))], layers.add(), dense('head', 2)),
    [
      'a 4: a.kernel@1 a.bias@0 b.kernel@0',
      'b 3 fixed: b.kernel@1 b.bias@0',
      'head 2 head: head.kernel@1 head.bias@0',
    ],
    ['b 0-2-2 []', 'head 3-3-3 [2]'],
  ],
  'a fixed group added to an earlier one': [
    [3],
    (x) => {
      const first = chain(x, dense('a', 3))
      const fixed = chain([chain(x, dense('b', 3)), x], layers.add())
      return chain([first, fixed], layers.add(), dense('head', 2))
    },
    [
      'a 3 fixed: a.kernel@1 a.bias@0 b.kernel@1 b.bias@0 head.kernel@0',
      'head 2 head: head.kernel@1 head.bias@0',
    ],
    ['b 0-3-3 [0]', 'head 4-4-4 [1]'],
  ],
  'a fixed group added to a concatenation': [
    [3],
    (x) => {
      const fixed = chain([chain(x, dense('a', 3)), x], layers.add())
      const parts = [chain(x, dense('b', 1)), chain(x, dense('c', 2))]
      return chain([fixed, chain(parts, layers.concatenate())], layers.add(), dense('head', 2))
    },
    [
      'a 1 fixed: a.kernel@1([0, 1]) a.bias@0([0, 1]) b.kernel@1 b.bias@0 head.kernel@0([0, 1])',
      'a.2 2 fixed: a.kernel@1([0, 1]) a.bias@0([0, 1]) c.kernel@1 c.bias@0 head.kernel@0([0, 1])',
      'head 2 head: head.kernel@1 head.bias@0',
    ],
    ['c 0-5-5 [0, 1]', 'head 6-6-6 [2]'],
  ],
  'channels that were paired before they met others': [
    [4, 4, 2],
    (x) => {
      const [a, b] = [chain(x, conv('a', 3)), chain(x, conv('b', 3))]
      const pairs = chain(
        b,
        layers.depthwiseConv2d({ name: 'dw', kernelSize: 1, depthMultiplier: 2 }),
      )
      const sum = chain([a, b], layers.add())
      return chain([chain(pairs, conv('c', 2)), chain(sum, conv('d', 2))], layers.add(), ...head())
    },
    [
      'a 3: a.kernel@3 a.bias@0 b.kernel@3 b.bias@0 dw.depthwiseKernel@2 dw.bias@0(0 each 2) c.kernel@2(0 each 2) d.kernel@2',
      'c 2: c.kernel@3 c.bias@0 d.kernel@3 d.bias@0 head.kernel@0',
      'head 2 head: head.kernel@1 head.bias@0',
    ],
    ['d 0-7-7 [1]', 'head 8-9-9 [2]'],
  ],
  'a flattened map added to a vector': [
    [2, 2, 1],
    (x) => {
      const flat = chain(x, conv('c', 3), layers.flatten())
      return chain([flat, chain(flat, dense('d', 12))], layers.add(), dense('head', 2))
    },
    [
      'c 3: c.kernel@3 c.bias@0 d.kernel@0(4 times 0) d.kernel@1([0, 0, 0, 0]) d.bias@0([0, 0, 0, 0]) head.kernel@0(4 times 0)',
      'head 2 head: head.kernel@1 head.bias@0',
    ],
    ['c 0-0-0 [0]', 'd 1-3-3 [0]', 'head 4-4-4 [1]'],
  ],
  'channels in pairs added to channels': [
    [4, 4, 2],
    (x) => {
      const stem = chain(x, conv('stem', 3))
      const pairs = chain(
        stem,
        layers.depthwiseConv2d({ name: 'dw', kernelSize: 1, depthMultiplier: 2, useBias: false }),
      )
      return chain([pairs, chain(stem, conv('c', 6))], layers.add(), ...head())
    },
    [
      'stem 3: stem.kernel@3 stem.bias@0 dw.depthwiseKernel@2 c.kernel@2 c.kernel@3(0 each 2) c.bias@0(0 each 2) head.kernel@0(0 each 2)',
      'head 2 head: head.kernel@1 head.bias@0',
    ],
    ['stem 0-0-0 [0]', 'c 1-3-3 [0]', 'head 4-5-5 [1]'],
  ],
  'a boundary inside of a neuron': [
    [4, 4, 2],
    (x) => {
      const stem = chain(x, conv('stem', 3))
      const pairs = chain(
        stem,
        layers.depthwiseConv2d({ name: 'dw', kernelSize: 1, depthMultiplier: 2, useBias: false }),
      )
      const parts = [chain(stem, conv('a', 1)), chain(stem, conv('b', 5))]
      return chain([pairs, chain(parts, layers.concatenate())], layers.add(), ...head())
    },
    [
      'stem 3 fixed: stem.kernel@3 stem.bias@0 dw.depthwiseKernel@2 a.kernel@2 b.kernel@2 head.kernel@0(0 each 2)',
      'a 1 fixed: a.kernel@3 a.bias@0',
      'b 5 fixed: b.kernel@3 b.bias@0',
      'head 2 head: head.kernel@1 head.bias@0',
    ],
    ['stem 0-0-0 [0]', 'b 1-5-5 [0]', 'head 6-7-7 [3]'],
  ],
  'a vector taken apart into a map': [
    [5],
    (x) =>
      chain(x, dense('d', 8), layers.reshape({ targetShape: [2, 2, 2] }), conv('c', 3), ...head()),
    [
      'd 8 fixed: d.kernel@1 d.bias@0',
      'c 3: c.kernel@3 c.bias@0 head.kernel@0',
      'head 2 head: head.kernel@1 head.bias@0',
    ],
    ['d 0-1-1 []', 'c 2-2-2 [1]', 'head 3-4-4 [2]'],
  ],
}

describe.each(Object.entries(NETWORKS))(
  'the neurons of %s',
  (_, [shape, build, groups, levels]) => {
    it('should fall into these groups and levels', () => {
      const inputs = tf.input({ shape })
      const model = tf.model({ inputs, outputs: build(inputs) })
      const graph = neuronGraph(model)
      expect(graph.groups.map((_, i) => groupText(graph, i))).toEqual(groups)
      expect(graph.levels.map(levelText)).toEqual(levels)
      expect(shapesWith(graph, widthsOf(graph))).toEqual(graph.weights)
      model.dispose()
    })
  },
)

describe('neuronGraph', () => {
  it('should follow the channels of lenet through pooling and flatten', () => {
    const images = { inputShape: [28, 28, 1], numClasses: 10 }
    const model = buildModel(parseArchitecture('lenet', images), createRng('7'))
    const graph = neuronGraph(model)
    expect(graph.groups.map((_, i) => groupText(graph, i))).toEqual([
      'conv1 6: conv1.kernel@3 conv1.bias@0 conv2.kernel@2',
      'conv2 16: conv2.kernel@3 conv2.bias@0 fc1.kernel@0(25 times 1)',
      'fc1 120: fc1.kernel@1 fc1.bias@0 fc2.kernel@0',
      'fc2 84: fc2.kernel@1 fc2.bias@0 fc3.kernel@0',
      'fc3 10 head: fc3.kernel@1 fc3.bias@0',
    ])
    expect(graph.levels.map(levelText)).toEqual([
      'conv1 0-0-1 [0]',
      'conv2 2-3-4 [1]',
      'fc1 5-7-8 [2]',
      'fc2 9-9-10 [3]',
      'fc3 11-11-11 [4]',
    ])
    expect(headGroup(graph).name).toBe('fc3')
    model.dispose()
  })

  it('should follow a dense network', () => {
    const model = buildModel(
      parseArchitecture('mlp:4-3-2', { inputShape: [4], numClasses: 2 }),
      createRng('7'),
    )
    const graph = neuronGraph(model)
    expect(graph.groups.map((_, i) => groupText(graph, i))).toEqual([
      'fc1 3: fc1.kernel@1 fc1.bias@0 fc2.kernel@0',
      'fc2 2 head: fc2.kernel@1 fc2.bias@0',
    ])
    expect(graph.levels.map(levelText)).toEqual(['fc1 0-0-1 [0]', 'fc2 2-2-2 [1]'])
    expect(graph.groups[0]!.axes.map(({ role }) => role)).toEqual(['kernel', 'bias', 'reader'])
    expect(shapesWith(graph, [5, 2])).toEqual([
      { name: 'fc1.kernel', shape: [4, 5] },
      { name: 'fc1.bias', shape: [5] },
      { name: 'fc2.kernel', shape: [5, 2] },
      { name: 'fc2.bias', shape: [2] },
    ])
    model.dispose()
  })

  it('should refuse logits that no one layer makes', () => {
    const input = tf.input({ shape: [4] })
    const parts = [chain(input, dense('a', 1)), chain(input, dense('b', 1))]
    const model = tf.model({ inputs: input, outputs: chain(parts, layers.concatenate()) })
    expect(() => neuronGraph(model)).toThrow(
      expect.objectContaining({
        code: 'GRAFT_LAYER_UNSUPPORTED',
        message: expect.stringContaining('end the network in a dense layer'),
      }),
    )
    model.dispose()
  })

  it('should refuse a gate of one number for several channels', () => {
    const input = tf.input({ shape: [4, 4, 2] })
    const gate = layers.multiply({ name: 'odd' })
    const gated = chain([chain(input, conv('a', 3)), chain(input, conv('b', 1))], gate)
    const model = tf.model({ inputs: input, outputs: chain(gated, ...head()) })
    expect(() => neuronGraph(model)).toThrow(
      'Layer odd brings together neurons of different numbers',
    )
    model.dispose()
  })
})

// Helpers

function chain(x: Tensor | Tensor[], ...following: tf.layers.Layer[]): Tensor {
  return following.reduce<Tensor | Tensor[]>((y, layer) => layer.apply(y) as Tensor, x) as Tensor
}

const dense = (name: string, units: number, activation: 'linear' | 'relu' | 'sigmoid' = 'linear') =>
  layers.dense({ name, units, activation })

const conv = (name: string, filters: number, options: { useBias?: boolean } = {}) =>
  layers.conv2d({ name, filters, kernelSize: 3, padding: 'same', ...options })

const head = () => [layers.globalAveragePooling2d({}), dense('head', 2)]

function groupText({ groups }: NeuronGraph, index: number): string {
  const { name, width, isHead, isFixed, axes } = groups[index]!
  const marks = `${isHead ? ' head' : ''}${isFixed && !isHead ? ' fixed' : ''}`
  const texts = axes.map(({ weight, axis, layout }) => {
    const isPlain = layout.kind === 'neurons' && layout.each === 1
    return `${weight}@${axis}${isPlain ? '' : `(${layoutText(layout)})`}`
  })
  return `${name} ${width}${marks}: ${texts.join(' ')}`
}

function layoutText(layout: AxisLayout): string {
  switch (layout.kind) {
    case 'neurons':
      return layout.each === 1 ? `${layout.group}` : `${layout.group} each ${layout.each}`
    case 'fixed':
      return `fixed ${layout.length}`
    case 'repeat':
      return `${layout.times} times ${layoutText(layout.of)}`
    case 'concat':
      return `[${layout.parts.map(layoutText).join(', ')}]`
  }
}

const levelText = ({ name, from, pre, post, groups }: NeuronGraph['levels'][number]): string =>
  `${name} ${from}-${pre}-${post} [${groups.join(', ')}]`

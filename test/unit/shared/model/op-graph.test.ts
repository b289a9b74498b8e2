import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { PositionEmbedding } from '../../../../shared/model/layers/position-embedding.ts'
import { SelfAttention } from '../../../../shared/model/layers/self-attention.ts'
import { modelVariables, modelWeights } from '../../../../shared/model/model-variables.ts'
import {
  forward,
  NETWORK_INPUT,
  opGraphOf,
  run,
  runFrom,
  sliceGraph,
  trainableWeights,
} from '../../../../shared/model/op-graph.ts'
import { writeWeights } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeak } from '../../../support/expect-no-leak.ts'
import { expectValues } from '../../../support/expect-values.ts'
import { randomWeights } from '../../../support/random-network.ts'

beforeAll(startTestEngine)

type Tensor = tf.SymbolicTensor
const { layers } = tf

const ACTIVATIONS = [
  'elu',
  'gelu',
  'relu',
  'relu6',
  'selu',
  'sigmoid',
  'softplus',
  'softsign',
] as const

/** What stands behind an input of that shape; of tokens there are 7. */
const NETWORKS: Record<string, [shape: number[], (x: Tensor) => Tensor]> = {
  'dense on vectors': [[5], (x) => chain(x, layers.dense({ units: 3, activation: 'tanh' }))],
  'dense on sequences': [[4, 5], (x) => chain(x, layers.dense({ units: 3 }))],
  'dense on maps, without bias': [
    [3, 4, 2],
    (x) => chain(x, layers.dense({ units: 3, useBias: false })),
  ],
  conv1d: [[7, 3], (x) => chain(x, layers.conv1d({ filters: 4, kernelSize: 3, strides: 2 }))],
  'conv1d, same': [
    [7, 3],
    (x) => chain(x, layers.conv1d({ filters: 4, kernelSize: 3, padding: 'same', useBias: false })),
  ],
  conv2d: [[6, 7, 3], (x) => chain(x, layers.conv2d({ filters: 4, kernelSize: [3, 2] }))],
  'conv2d of one pixel with strides': [
    [5, 6, 4],
    (x) => chain(x, layers.conv2d({ filters: 8, kernelSize: 1, strides: [2, 3], padding: 'same' })),
  ],
  'conv2d with strides': [
    [6, 7, 3],
    (x) => chain(x, layers.conv2d({ filters: 4, kernelSize: 3, strides: [2, 1], padding: 'same' })),
  ],
  'conv2d without bias, then relu': [
    [6, 6, 2],
    (x) => chain(x, layers.conv2d({ filters: 4, kernelSize: 3, useBias: false }), layers.reLU()),
  ],
  depthwise: [[6, 7, 3], (x) => chain(x, layers.depthwiseConv2d({ kernelSize: [3, 2] }))],
  'depthwise with strides, multiplied': [
    [6, 7, 3],
    (x) =>
      chain(
        x,
        layers.depthwiseConv2d({
          kernelSize: 3,
          depthMultiplier: 2,
          strides: 2,
          padding: 'same',
          useBias: false,
        }),
      ),
  ],
  'depthwise, separable': [
    [6, 6, 3],
    (x) => chain(x, layers.separableConv2d({ filters: 4, kernelSize: 3, depthMultiplier: 2 })),
  ],
  'depthwise, separable, with strides': [
    [7, 6, 3],
    (x) =>
      chain(
        x,
        layers.separableConv2d({
          filters: 4,
          kernelSize: 3,
          strides: 2,
          padding: 'same',
          activation: 'tanh',
        }),
      ),
  ],
  'batch normalisation': [[4, 4, 3], (x) => chain(x, layers.batchNormalization({}))],
  'batch normalisation of vectors, without gamma': [
    [5],
    (x) => chain(x, layers.batchNormalization({ scale: false })),
  ],
  'batch normalisation without beta': [
    [5],
    (x) => chain(x, layers.batchNormalization({ center: false })),
  ],
  'batch normalisation without both': [
    [4, 3],
    (x) => chain(x, layers.batchNormalization({ center: false, scale: false })),
  ],
  'layer normalisation': [[4, 5], (x) => chain(x, layers.layerNormalization({}))],
  'layer normalisation without gamma': [
    [5],
    (x) => chain(x, layers.layerNormalization({ scale: false })),
  ],
  'layer normalisation without beta': [
    [5],
    (x) => chain(x, layers.layerNormalization({ center: false })),
  ],
  'position embedding': [[4, 5], (x) => chain(x, new PositionEmbedding({}))],
  'self-attention': [
    [4, 5],
    (x) => chain(x, new SelfAttention({ numHeads: 3, headDim: 2, units: 4 })),
  ],
  ...Object.fromEntries(
    [...ACTIVATIONS, 'swish', 'tanh', 'linear'].map((activation) => [
      `activation ${activation}`,
      [[4, 5], (x: Tensor) => chain(x, layers.activation({ activation } as never))],
    ]),
  ),
  'leaky relu': [[9], (x) => chain(x, layers.leakyReLU({ alpha: 0.2 }))],
  'elu layer': [[9], (x) => chain(x, layers.elu())],
  'relu layer, capped at 6': [[9], (x) => chain(x, layers.reLU({ maxValue: 6 }))],
  'max pooling, 1d': [[7, 3], (x) => chain(x, layers.maxPooling1d({ poolSize: 2 }))],
  'max pooling, 1d, same': [
    [7, 3],
    (x) => chain(x, layers.maxPooling1d({ poolSize: 3, strides: 2, padding: 'same' })),
  ],
  'max pooling, 2d': [[6, 7, 3], (x) => chain(x, layers.maxPooling2d({ poolSize: 2 }))],
  'max pooling, 2d, same': [
    [6, 7, 3],
    (x) => chain(x, layers.maxPooling2d({ poolSize: [3, 2], strides: [2, 1], padding: 'same' })),
  ],
  'average pooling, 1d': [[7, 3], (x) => chain(x, layers.averagePooling1d({ poolSize: 2 }))],
  'average pooling, 1d, same': [
    [7, 3],
    (x) => chain(x, layers.averagePooling1d({ poolSize: 3, strides: 2, padding: 'same' })),
  ],
  'average pooling, 2d': [[6, 7, 3], (x) => chain(x, layers.averagePooling2d({ poolSize: 2 }))],
  'average pooling, 2d, same': [
    [6, 7, 3],
    (x) =>
      chain(x, layers.averagePooling2d({ poolSize: [3, 2], strides: [2, 1], padding: 'same' })),
  ],
  'global average pooling, 1d': [[4, 3], (x) => chain(x, layers.globalAveragePooling1d({}))],
  'global average pooling, 2d': [[4, 5, 3], (x) => chain(x, layers.globalAveragePooling2d({}))],
  'global max pooling, 1d': [[4, 3], (x) => chain(x, layers.globalMaxPooling1d({}))],
  'global max pooling, 2d': [[4, 5, 3], (x) => chain(x, layers.globalMaxPooling2d({}))],
  'zero padding': [
    [4, 5, 3],
    (x) =>
      chain(
        x,
        layers.zeroPadding2d({
          padding: [
            [1, 0],
            [2, 3],
          ],
        }),
      ),
  ],
  flatten: [[4, 5, 3], (x) => chain(x, layers.flatten())],
  reshape: [[4, 5, 3], (x) => chain(x, layers.reshape({ targetShape: [20, 3] }))],
  'add of two': [[4, 3], (x) => chain([dense(x, 3), x], layers.add())],
  'add of three': [[4, 3], (x) => chain([dense(x, 3), x, dense(x, 3)], layers.add())],
  'add of a tensor to itself': [[4, 3], (x) => chain(twice(dense(x, 3)), layers.add())],
  multiply: [[4, 3], (x) => chain([dense(x, 3), x, dense(x, 3)], layers.multiply())],
  'multiply by a gate': [
    [4, 5, 3],
    (x) => {
      const gate = dense(chain(x, layers.globalAveragePooling2d({})), 3, 'sigmoid')
      return chain([x, chain(gate, layers.reshape({ targetShape: [1, 1, 3] }))], layers.multiply())
    },
  ],
  'multiply by a vector': [
    [4, 5, 3],
    (x) => chain([x, dense(chain(x, layers.globalAveragePooling2d({})), 3)], layers.multiply()),
  ],
  concatenate: [[4, 3], (x) => chain([dense(x, 2), x, dense(x, 4)], layers.concatenate())],
  'a tensor that three layers read': [
    [6, 6, 2],
    (x) => {
      const shared = chain(x, layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same' }))
      const left = chain(shared, layers.batchNormalization({}), layers.reLU())
      const right = chain(shared, layers.conv2d({ filters: 3, kernelSize: 1 }))
      const sum = chain([left, right, shared], layers.add())
      const both = chain([sum, shared], layers.concatenate())
      return chain(
        both,
        layers.maxPooling2d({ poolSize: 2 }),
        layers.flatten(),
        layers.dense({ units: 3 }),
      )
    },
  ],
}

describe.each(Object.keys(NETWORKS))('%s', (name) => {
  it.each([false, true])(
    'should give the outputs and gradients of tfjs, training: %s',
    (training) => {
      withModel(name, (model, x) => {
        const graph = opGraphOf(model)
        const weights = modelWeights(model)
        const pass = forward(graph, x, weights, options(training))
        const output = pass.outputs.at(-1)!
        const dOutput = tf.randomNormal(output.shape, 0, 1, 'float32', 12)
        const gradients = pass.backward(dOutput).weights
        const dInput = pass.backward(dOutput, { wants: (node) => node === 0 }).outputs.get(0)!
        const names = trainableWeights(graph)
        expect(gradients).toHaveLength(names.length)

        if (lacksGradient(name)) {
          const loss = (changed: tf.Tensor, changes: (name: string) => tf.Tensor) =>
            sumOf(forward(graph, changed, changes, options(training)).outputs.at(-1)!, dOutput)
          expectSlope(dInput, (step) => loss(tf.add(x, step), weights))
          for (const [i, changed] of names.entries()) {
            expectSlope(gradients[i]!, (step) =>
              loss(x, (name) => (name === changed ? tf.add(weights(name), step) : weights(name))),
            )
          }
          if (!training) expectClose(output, model.apply(x) as tf.Tensor)
        } else {
          const loss = (input: tf.Tensor) =>
            sumOf(model.apply(input, { training }) as tf.Tensor, dOutput)
          const { grads } = tf.variableGrads(() => loss(x))
          for (const { name, variable } of modelVariables(model)) {
            const i = names.indexOf(name)
            if (i >= 0) expectClose(gradients[i]!, grads[nameInside(variable)]!)
          }
          expectClose(dInput, tf.grad(loss)(x))
          expectClose(output, model.apply(x, { training }) as tf.Tensor)
        }
      })
    },
  )

  it('should run without keeping what nothing reads any more', () => {
    withModel(name, (model, x) => {
      const graph = opGraphOf(model)
      const weights = modelWeights(model)
      const { outputs } = forward(graph, x, weights)
      const nodes = graph.nodes.map((_, i) => i)
      const before = tf.memory().numTensors
      const [last] = run(graph, x, weights)
      expect(tf.memory().numTensors).toBe(before + 1)
      const first = run(graph, x, weights, [0])
      expect(tf.memory().numTensors).toBe(before + 2)
      const all = run(graph, x, weights, nodes)
      expect(tf.memory().numTensors).toBe(before + 2 + nodes.length)
      expectClose(last!, outputs.at(-1)!)
      expectClose(first[0]!, outputs[0]!)
      all.forEach((output, i) => expectClose(output, outputs[i]!))
    })
  })

  it('should run again from any node with another output of it', () => {
    withModel(name, (model, x) => {
      const graph = opGraphOf(model)
      const weights = modelWeights(model)
      const { outputs } = forward(graph, x, weights)
      for (const [node, output] of outputs.entries()) {
        const values = [tf.mul(output, 2), output, tf.zerosLike(output)]
        const value = tf.concat(values)
        const logits = runFrom(graph, { outputs, x, node, value, copies: 3 }, weights)
        const replaced = values.map((y) => {
          const op = { ...graph.nodes[node]!.op, forward: () => ({ y, back: never }) }
          const nodes = graph.nodes.with(node, { ...graph.nodes[node]!, op })
          return forward({ nodes }, x, weights).outputs.at(-1)!
        })
        expectClose(logits, tf.concat(replaced))
      }
    })
  })

  it('should multiply its kernels with what it unfolds', () => {
    withModel(name, (model, x) => {
      const graph = opGraphOf(model)
      const weights = modelWeights(model)
      const { outputs } = forward(graph, x, weights)
      for (const [i, { op, inputs }] of graph.nodes.entries()) {
        if (op.unfold === undefined) continue
        const [kernel, bias] = op.weights.map((weight) => weights(weight.name))
        const seen = op.unfold(
          inputs[0] === NETWORK_INPUT ? x : outputs[inputs[0]!]!,
          kernel!.shape,
        )
        const width = kernel!.shape.at(-1)!
        const product = tf.matMul(seen, tf.reshape(kernel!, [-1, width]))
        const y = bias === undefined ? product : tf.add(product, bias)
        expectClose(tf.reshape(y, outputs[i]!.shape), outputs[i]!)
      }
    })
  })

  it('should leave nothing alive but what tidy returns', () => {
    const model = modelOf(name)
    const graph = opGraphOf(model)
    const x = inputOf(name)
    const weights = modelWeights(model)
    expectNoLeak(() =>
      tf.tidy(() => {
        const pass = forward(graph, x, weights, options(true))
        return pass.backward(tf.onesLike(pass.outputs.at(-1)!)).weights
      }),
    )
    tf.dispose(x)
    model.dispose()
  })
})

describe('embedding', () => {
  const model = () => {
    const input = tf.input({ shape: [4] })
    const table = layers.embedding({ inputDim: 7, outputDim: 3 })
    return filled(tf.model({ inputs: input, outputs: chain(input, table) }))
  }

  it('should look up rows, and sum the gradients of each', () => {
    tf.tidy(() => {
      const network = model()
      const x = tf.tensor([0, 3, 3, 6, 3, 1, 1, 5], [2, 4])
      const weights = modelWeights(network)
      const pass = forward(opGraphOf(network), x, weights)
      expectClose(pass.outputs[0]!, network.apply(x) as tf.Tensor)
      const dy = tf.randomNormal([2, 4, 3], 0, 1, 'float32', 12)
      const hot = tf.cast(tf.oneHot(tf.cast(tf.reshape(x, [-1]), 'int32'), 7), 'float32')
      const [dTable] = pass.backward(dy).weights
      expectClose(dTable!, tf.matMul(hot, tf.reshape(dy, [8, 3]), true))
      network.dispose()
    })
  })

  it('should give zeros where a gradient at the indices is asked for', () => {
    tf.tidy(() => {
      const network = model()
      const x = tf.zeros([2, 4])
      const pass = forward(opGraphOf(network), x, modelWeights(network))
      const [dx] = pass.back(0, tf.ones([2, 4, 3]))
      expectClose(dx!, x)
      network.dispose()
    })
  })
})

describe('a pass', () => {
  it('should give the gradients at the outputs asked for, and no others', () => {
    withModel('a tensor that three layers read', (model, x) => {
      const pass = forward(opGraphOf(model), x, modelWeights(model))
      const { outputs, weights } = pass.backward(tf.ones([5, 3]), {
        wants: (node) => node === 1 || node === 4,
      })
      expect([...outputs.keys()].sort()).toEqual([1, 4])
      expect(weights).toEqual([])
      for (const [node, gradient] of outputs) {
        expect(gradient.shape).toEqual(pass.outputs[node]!.shape)
      }
    })
  })

  it('should take another way back where a rule gives one', () => {
    withModel('dense on vectors', (model, x) => {
      const graph = opGraphOf(model)
      const pass = forward(graph, x, modelWeights(model))
      const dOutput = tf.ones([5, 3])
      const plain = pass.backward(dOutput)
      const last = graph.nodes.length - 1
      const rule = (node: number, dy: tf.Tensor) => (node === last ? [tf.mul(dy, 2)] : undefined)
      const ruled = pass.backward(dOutput, { rule, wants: (node) => node === last - 1 })
      expectClose(ruled.outputs.get(last - 1)!, tf.fill([5, 3], 2))
      // Weights of nodes with a rule keep their own gradients.
      const kernelRule = (node: number) => (node === 1 ? [tf.zeros([5, 5])] : undefined)
      const weights = pass.backward(dOutput, { rule: kernelRule }).weights
      expect(weights).toHaveLength(plain.weights.length)
      expectClose(weights[1]!, plain.weights[1]!)
      expectClose(weights[0]!, tf.zerosLike(plain.weights[0]!))
    })
  })

  it('should leave frozen layers without gradients', () => {
    withModel('a tensor that three layers read', (model, x) => {
      const all = trainableWeights(opGraphOf(model))
      model.layers.find((layer) => layer.getClassName() === 'BatchNormalization')!.trainable = false
      const graph = opGraphOf(model)
      const names = trainableWeights(graph)
      expect(all.length - names.length).toBe(2)
      const { weights } = forward(graph, x, modelWeights(model)).backward(tf.ones([5, 3]))
      expect(weights).toHaveLength(names.length)
    })
  })

  it('should free what it holds when an op throws', () => {
    withModel('dense on vectors', (model, x) => {
      const weights = modelWeights(model)
      const failing = (name: string) => {
        if (name.endsWith('bias')) throw new Error('no bias')
        return weights(name)
      }
      const before = tf.memory().numTensors
      expect(() => run(opGraphOf(model), x, failing)).toThrow('no bias')
      expect(tf.memory().numTensors).toBe(before)
    })
  })
})

describe('batch normalisation', () => {
  it('should move its statistics towards the batch while training, as tfjs does', () => {
    withModel('batch normalisation', (model, x) => {
      const moved = new Map<string, tf.Tensor>()
      const onMoved = (name: string, value: tf.Tensor) => void moved.set(name, value)
      const training = { rng: createRng('7'), onMoved }
      const before = modelVariables(model).map(({ variable }) => variable.read().clone())
      forward(opGraphOf(model), x, modelWeights(model), { training })
      model.apply(x, { training: true })
      const statistics = modelVariables(model).filter(({ name }) => name.includes('moving'))
      expect([...moved.keys()]).toEqual(statistics.map(({ name }) => name))
      for (const { name, variable } of statistics) {
        expectClose(moved.get(name)!, variable.read())
        const start = before[modelVariables(model).findIndex((each) => each.name === name)]!
        expectValues(tf.max(tf.abs(tf.sub(start, variable.read()))), ([most]) => {
          expect(most).toBeGreaterThan(1e-3)
        })
      }
    })
  })
})

describe('dropout', () => {
  const model = () =>
    tf.sequential({ layers: [tf.layers.dropout({ rate: 0.25, inputShape: [10_000] })] })

  it('should zero its share while training, and keep the mean', () => {
    tf.tidy(() => {
      const pass = forward(opGraphOf(model()), tf.ones([1, 10_000]), noWeights, options(true))
      expectValues(pass.outputs[0]!, (values) => {
        expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / 0.75)]))
        expect(values.filter((value) => value === 0).length / 10_000).toBeCloseTo(0.25, 1)
      })
      const [dx] = pass.back(0, tf.ones([1, 10_000]))
      expectClose(dx!, pass.outputs[0]!)
    })
  })

  it('should do nothing in inference', () => {
    tf.tidy(() => {
      const [y] = forward(opGraphOf(model()), tf.ones([1, 10_000]), noWeights).outputs
      expectValues(y!, (values) => {
        expect(new Set(values)).toEqual(new Set([1]))
      })
    })
  })

  it('should hand out a tensor of its own when run', () => {
    tf.tidy(() => {
      const x = tf.ones([1, 10_000])
      const [y] = run(opGraphOf(model()), x, noWeights)
      y!.dispose()
      expect(x.isDisposed).toBe(false)
    })
  })
})

describe('sliceGraph', () => {
  it('should give parts that compose', () => {
    withModel('conv2d without bias, then relu', (model, x) => {
      const graph = opGraphOf(model)
      const weights = modelWeights(model)
      const last = graph.nodes.length - 1
      const [whole] = run(graph, x, weights)
      for (let cut = 1; cut <= last; cut++) {
        const [between] = run(sliceGraph(graph, 0, cut - 1), x, weights)
        const [end] = run(sliceGraph(graph, cut, last), between!, weights)
        expectClose(end!, whole!)
      }
    })
  })

  it('should refuse a cut that something reads across', () => {
    withModel('add of two', (model) => {
      const graph = opGraphOf(model)
      expect(() => sliceGraph(graph, 2, graph.nodes.length - 1)).toThrow(RangeError)
    })
  })
})

describe('opGraphOf', () => {
  const odd = { name: 'odd' }
  it.each<[number[], tf.layers.Layer, string]>([
    [[3, 4], layers.lstm({ ...odd, units: 2 }), 'odd (LSTM) is of a kind'],
    [[3, 4], layers.permute({ ...odd, dims: [2, 1] }), 'odd (Permute) is of a kind'],
    [[4], layers.dense({ ...odd, units: 2, activation: 'softmax' }), 'odd (Dense) applies softmax'],
    [[4], layers.softmax(odd), 'leave the softmax out'],
    [[4], layers.dense({ ...odd, units: 2, activation: 'mish' }), 'odd (Dense) applies mish'],
    [[4], layers.reLU({ ...odd, maxValue: 5 }), 'odd (ReLU) is capped at 5'],
    [
      [6, 6, 2],
      layers.conv2d({ ...odd, filters: 2, kernelSize: 2, dilationRate: 2 }),
      'odd (Conv2D) is dilated',
    ],
    [
      [6, 6, 2],
      layers.depthwiseConv2d({ ...odd, kernelSize: 2, dilationRate: 2 }),
      'odd (DepthwiseConv2D) is dilated',
    ],
    [
      [6, 2],
      layers.conv1d({ ...odd, filters: 2, kernelSize: 2, padding: 'causal' }),
      'odd (Conv1D) pads',
    ],
    ...[
      layers.conv2d({ ...odd, filters: 2, kernelSize: 2, dataFormat: 'channelsFirst' }),
      layers.maxPooling2d({ ...odd, dataFormat: 'channelsFirst' }),
      layers.globalMaxPooling2d({ ...odd, dataFormat: 'channelsFirst' }),
      layers.globalAveragePooling2d({ ...odd, dataFormat: 'channelsFirst' }),
      layers.zeroPadding2d({ ...odd, dataFormat: 'channelsFirst' }),
      layers.flatten({ ...odd, dataFormat: 'channelsFirst' }),
    ].map((layer): [number[], tf.layers.Layer, string] => [
      [6, 6, 2],
      layer,
      'wants channels first',
    ]),
    [[4, 4, 2], layers.batchNormalization({ ...odd, axis: 1 }), 'does not normalise the last axis'],
    [[4, 2], layers.layerNormalization({ ...odd, axis: 1 }), 'does not normalise the last axis'],
  ])('should refuse what it cannot run by its name: %#', (shape, layer, message) => {
    const input = tf.input({ shape })
    expectRefused(tf.model({ inputs: input, outputs: chain(input, layer) }), message)
  })

  it('should refuse a layer that is used twice', () => {
    const input = tf.input({ shape: [4] })
    const shared = layers.dense({ ...odd, units: 4 })
    const outputs = chain(input, shared, layers.reLU(), shared)
    expectRefused(tf.model({ inputs: input, outputs }), 'odd (Dense) is used more than once')
  })

  it('should refuse several inputs or outputs', () => {
    const [a, b] = [tf.input({ shape: [4] }), tf.input({ shape: [4] })]
    const sum = chain([a, b], layers.add(odd))
    expectRefused(tf.model({ inputs: [a, b], outputs: sum }), 'several inputs or outputs')
    const one = dense(a, 2)
    expectRefused(
      tf.model({ inputs: a, outputs: [one, dense(one, 2)] }),
      'several inputs or outputs',
    )
  })

  it('should refuse to add maps of two shapes, and to concatenate along another axis', () => {
    const input = tf.input({ shape: [3, 4] })
    const pooled = chain(input, layers.reshape({ targetShape: [12] }), layers.dense({ units: 4 }))
    const row = chain(pooled, layers.reshape({ targetShape: [1, 4] }))
    const sum = chain([input, row], layers.add(odd))
    const sums = tf.model({ inputs: input, outputs: sum })
    expect(() => opGraphOf(sums)).toThrow('odd (Add) adds maps of two shapes')
    const both = chain([input, row], layers.concatenate({ ...odd, axis: 1 }))
    expectRefused(tf.model({ inputs: input, outputs: both }), 'does not join along the last axis')
  })

  it('should put layers in an order in which they can run, whatever order they were made in', () => {
    const head = layers.dense({ units: 2, name: 'head' })
    const input = tf.input({ shape: [4] })
    const model = tf.model({ inputs: input, outputs: chain(dense(input, 3), head) })
    expect(opGraphOf(model).nodes.at(-1)!.op.layer).toBe('head')
    model.dispose()
  })
})

// Helpers

function chain(x: Tensor | Tensor[], ...following: tf.layers.Layer[]): Tensor {
  return following.reduce<Tensor | Tensor[]>((y, layer) => layer.apply(y) as Tensor, x) as Tensor
}

const dense = (x: Tensor, units: number, activation: 'linear' | 'sigmoid' = 'linear'): Tensor =>
  chain(x, layers.dense({ units, activation }))

const twice = (x: Tensor): Tensor[] => [x, x]

/** The network behind a layer that changes nothing at first, so that there is a gradient at the input. */
function modelOf(name: string): tf.LayersModel {
  const [shape, build] = NETWORKS[name]!
  const inputs = tf.input({ shape })
  return filled(tf.model({ inputs, outputs: build(chain(inputs, new PositionEmbedding({}))) }))
}

function filled(model: tf.LayersModel): tf.LayersModel {
  const variables = modelVariables(model)
  // Drawn under names that do not depend on how many layers tfjs has named before.
  const shapes = variables.map(({ name, variable }, i) => ({
    name: `${i}${name.slice(name.lastIndexOf('.'))}`,
    shape: variable.shape as number[],
  }))
  const drawn = randomWeights(shapes, createRng('7'))
  writeWeights(
    model,
    drawn.map((weight, i) => ({ ...weight, name: variables[i]!.name })),
  )
  return model
}

function inputOf(name: string): tf.Tensor {
  return tf.randomNormal([5, ...NETWORKS[name]![0]], 0, 3, 'float32', 11)
}

function withModel(name: string, body: (model: tf.LayersModel, x: tf.Tensor) => void): void {
  const model = modelOf(name)
  tf.tidy(() => body(model, inputOf(name)))
  model.dispose()
}

function options(isTraining: boolean) {
  return isTraining ? { training: { rng: createRng('7'), onMoved: () => undefined } } : {}
}

const noWeights = () => never()

function never(): never {
  throw new RangeError('not to be called')
}

/** Name under which tfjs hands out a gradient. */
const nameInside = (variable: tf.LayerVariable): string =>
  (variable as unknown as { val: tf.Variable }).val.name

/** Of these tfjs has no gradient: it forgets that gamma may be missing, and wasm has no kernel. */
const lacksGradient = (name: string): boolean =>
  /normalisation.* without/.test(name) ||
  (tf.getBackend() === 'wasm' && name.startsWith('depthwise'))

const sumOf = (output: tf.Tensor, weights: tf.Tensor): tf.Scalar =>
  tf.sum<tf.Scalar>(tf.mul(output, weights))

function expectClose(actual: tf.Tensor, expected: tf.Tensor): void {
  expect(actual.shape).toEqual(expected.shape)
  tf.tidy(() => {
    const size = tf.maximum(1, tf.max(tf.abs(expected)))
    expectValues(tf.div(tf.max(tf.abs(tf.sub(actual, expected))), size), ([worst]) => {
      expect(worst).toBeLessThan(1e-4)
    })
  })
}

/** Compares a gradient with a difference quotient along a random direction. */
function expectSlope(gradient: tf.Tensor, loss: (step: tf.Tensor) => tf.Scalar): void {
  const direction = tf.randomNormal(gradient.shape, 0, 1, 'float32', 13)
  const h = 1e-2
  const [ahead, behind] = [h, -h].map((length) => loss(tf.mul(direction, length)))
  const along = tf.sum(tf.mul(gradient, direction))
  expectValues(tf.stack([ahead!, behind!, along]), ([ahead, behind, expected]) => {
    const slope = (ahead! - behind!) / (2 * h)
    expect(Math.abs(slope - expected!)).toBeLessThan(0.02 * Math.max(1, Math.abs(expected!)))
  })
}

function expectRefused(model: tf.LayersModel, message: string): void {
  expect(() => opGraphOf(model)).toThrow(
    expect.objectContaining({
      code: 'GRAFT_LAYER_UNSUPPORTED',
      message: expect.stringContaining(message),
    }),
  )
  model.dispose()
}

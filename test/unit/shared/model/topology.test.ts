import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { openTopology, topologyIn } from '../../../../shared/model/topology.ts'
import { withoutSoftmax } from '../../../../shared/model/without-softmax.ts'
import { readWeights, writeWeights } from '../../../../shared/model/weights.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'

const DATA = { inputShape: [6, 6, 1], numClasses: 3 }

beforeAll(startTestEngine)

describe('openTopology', () => {
  it.each([
    ['a chain', chain],
    ['a graph with a shortcut', graph],
  ])('should build %s again, weight for weight', async (_, make) => {
    const original = make()
    const network = await openTopology('mine', topologyOf(original), DATA)
    const weights = await readWeights(original)
    expect(network).toMatchObject({ name: 'mine', architecture: null })
    expect(network.weights).toEqual(weights.map(({ name, shape }) => ({ name, shape })))
    const built = network.build()
    writeWeights(built, weights)
    const x = tf.randomNormal([2, 6, 6, 1], 0, 1, 'float32', 3)
    expect(await logits(built, x)).toEqual(await logits(original, x))
    tf.dispose(x)
    original.dispose()
    built.dispose()
  })

  it('should leave no tensor behind', async () => {
    const original = chain()
    const text = topologyOf(original)
    original.dispose()
    await expectNoLeakAsync(async () => {
      const network = await openTopology('mine', text, DATA)
      network.build().dispose()
    })
  })

  it('should refuse layers that it does not know, before TensorFlow.js sees them', async () => {
    const lambda = { class_name: 'Lambda', config: { name: 'evil', function: 'process.exit()' } }
    await refuses(topology([lambda]), 'GRAFT_LAYER_UNSUPPORTED', /"evil" of the kind "Lambda"/)
    const nested = { class_name: 'Sequential', config: { name: 'inner', layers: [] } }
    await refuses(topology([nested]), 'GRAFT_LAYER_UNSUPPORTED', /"inner" of the kind "Sequential"/)
    for (const name of ['constructor', '__proto__', 'toString']) {
      await refuses(topology([{ class_name: name, config: {} }]), 'GRAFT_LAYER_UNSUPPORTED', /kind/)
    }
  })

  it('should refuse more weights than a run sends, without the memory for them', async () => {
    const before = tf.memory().numBytes
    const layers = [flatten, dense('wide', 50_000), dense('wider', 10_000), dense('d', 3)]
    await refuses(topology(layers), 'GRAFT_MODEL_FILE_INVALID', /more than 268435456 weights/)
    expect(tf.memory().numBytes - before).toBeLessThan(2 ** 28)
    // And leaves TensorFlow.js as it was.
    const small = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [3] })] })
    expect(small.countParams()).toBe(8)
    small.dispose()
  })

  it('should refuse what is no topology, or a long one', async () => {
    await refuses('no JSON', 'GRAFT_MODEL_FILE_INVALID', /is not JSON/)
    await refuses('{"class_name":"Model"}', 'GRAFT_MODEL_FILE_INVALID', /config: \{ layers \}/)
    await refuses('null', 'GRAFT_MODEL_FILE_INVALID', /is not \{ class_name/)
    await refuses(' '.repeat(262_145), 'GRAFT_MODEL_FILE_INVALID', /at most 262144/)
    await refuses(topology([dense('lost', 3)]), 'GRAFT_MODEL_FILE_INVALID', /cannot be built/)
  })

  it('should refuse activity regularisers, of which TensorFlow.js knows the name alone', async () => {
    const decay = { class_name: 'L1L2', config: { l2: 0.1 } }
    const layer = dense('held', 3)
    const held = { ...layer, config: { ...layer.config, activity_regularizer: decay } }
    const problem = /cannot be built: .*activity regularizer\(s\) is not supported/
    await refuses(topology([flatten, held]), 'GRAFT_MODEL_FILE_INVALID', problem)
  })

  it('should refuse a network that does not fit the data, with the remedy', async () => {
    const text = topology([flatten, dense('d', 3)])
    const open = (data: typeof DATA) => openTopology('mine', text, data)
    await expect(open({ ...DATA, inputShape: [28, 28, 3] })).rejects.toThrow(
      /reads inputs \[6, 6, 1\], and an example is \[28, 28, 3\]: .*--image-size.*ARCHITECTURE_INVALID/,
    )
    await expect(open({ ...DATA, numClasses: 10 })).rejects.toThrow(
      /gives \[3\], and there are 10 classes: end it in 10 units/,
    )
  })
})

describe('topologyIn', () => {
  it('should find it in every kind of file', () => {
    const text = topology([flatten, dense('d', 3)])
    const bare = JSON.parse(text) as object
    for (const file of [
      bare,
      { ...bare, keras_version: '2.0' },
      { modelTopology: bare, weightsManifest: [] },
      { modelTopology: { model_config: bare, training_config: {} } },
    ])
      expect(topologyIn('mine', file)).toBe(text)
    expect(() => topologyIn('mine', [])).toThrow(/GRAFT_MODEL_FILE_INVALID/)
  })
})

describe('withoutSoftmax', () => {
  it('should take it from the last layer, in chains and graphs', async () => {
    const softmax = { ...dense('d', 3), config: { ...dense('d', 3).config, activation: 'softmax' } }
    const linear = { ...softmax, config: { ...softmax.config, activation: 'linear' } }
    expect(withoutSoftmax(topology([flatten, softmax]))).toBe(topology([flatten, linear]))
    const alone = { class_name: 'Activation', config: { name: 'a', activation: 'softmax' } }
    expect(withoutSoftmax(topology([flatten, dense('d', 3), alone]))).toBe(
      topology([flatten, dense('d', 3)]),
    )
    const made = graph('softmax')
    const text = withoutSoftmax(topologyOf(made))
    expect(text).not.toContain('softmax')
    expect((await openTopology('mine', text, DATA)).weights).toHaveLength(6)
    made.dispose()
  })

  it('should leave a network without one as it is', () => {
    const text = topology([flatten, dense('d', 3)])
    expect(withoutSoftmax(text)).toBe(text)
  })
})

// Helpers

const flatten = {
  class_name: 'Flatten',
  config: { name: 'flat', batch_input_shape: [null, 6, 6, 1] },
}

const dense = (name: string, units: number) => ({ class_name: 'Dense', config: { name, units } })

function topology(layers: readonly object[]): string {
  return JSON.stringify({ class_name: 'Sequential', config: { name: 'net', layers } })
}

function chain(): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu', inputShape: [6, 6, 1] }),
      tf.layers.batchNormalization(),
      tf.layers.flatten(),
      tf.layers.dense({ units: 3 }),
    ],
  })
}

function graph(activation: 'linear' | 'softmax' = 'linear'): tf.LayersModel {
  const input = tf.input({ shape: [6, 6, 1] })
  const flat = tf.layers.flatten().apply(input) as tf.SymbolicTensor
  const [a, b] = [5, 5].map(
    (units) => tf.layers.dense({ units, activation: 'relu' }).apply(flat) as tf.SymbolicTensor,
  )
  const both = tf.layers.add().apply([a!, b!]) as tf.SymbolicTensor
  const outputs = tf.layers.dense({ units: 3, activation }).apply(both) as tf.SymbolicTensor
  return tf.model({ inputs: input, outputs })
}

function topologyOf(model: tf.LayersModel): string {
  return topologyIn('mine', JSON.parse(model.toJSON(null, true) as string))
}

async function logits(model: tf.LayersModel, x: tf.Tensor): Promise<number[]> {
  const y = model.predict(x) as tf.Tensor
  const values = [...(await y.data())]
  y.dispose()
  return values
}

async function refuses(text: string, code: string, problem: RegExp): Promise<void> {
  const refused = expect(openTopology('mine', text, DATA)).rejects
  await refused.toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(problem) as string }),
  )
}

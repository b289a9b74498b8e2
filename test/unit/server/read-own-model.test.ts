import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { startingWeights } from '../../../server/read-model-file.ts'
import { isModelPath, readOwnModel } from '../../../server/read-own-model.ts'
import { openTopology } from '../../../shared/model/topology.ts'
import { readWeights } from '../../../shared/model/weights.ts'
import { writeLayersModel } from '../../../shared/model-files/layers-model-folder.ts'
import { writeFiles } from '../../support/data-files.ts'
import { startTestEngine } from '../../support/engine.ts'
import { createTemporaryFolder } from '../../support/temporary-folder.ts'

beforeAll(startTestEngine)

describe('isModelPath', () => {
  it('should tell paths from specs', () => {
    for (const path of ['nets/mine', 'net.json', 'net.js', 'net.mjs'])
      expect(isModelPath(path)).toBe(true)
    for (const spec of ['mlp', 'mlp:4-3', 'vit:64x2']) expect(isModelPath(spec)).toBe(false)
  })
})

describe('readOwnModel', () => {
  it('should read a folder with weights, the same each time', async () => {
    await using folder = await createTemporaryFolder()
    const path = join(folder.path, 'my-net')
    const model = net('softmax')
    await writeLayersModel(path, model)
    const own = await readOwnModel(path)
    expect(await readOwnModel(join(path, 'model.json'))).toEqual({
      ...own,
      initial: { ...own.initial!, file: expect.any(String) as string },
    })
    expect(own.name).toBe('my-net')
    expect(own.notes).toEqual([expect.stringMatching(/softmax that my-net ends in is left out/)])
    const network = await openTopology(own.name, own.topology, { inputShape: [4], numClasses: 3 })
    expect(await startingWeights(own.initial!, undefined, network)).toEqual(
      await readWeights(model),
    )
    model.dispose()
  })

  it('should read layers alone, from JSON and from modules', async () => {
    await using folder = await createTemporaryFolder()
    const model = net('linear')
    const json = model.toJSON(null, true) as string
    const { modelTopology } = { modelTopology: JSON.parse(json) as object }
    model.dispose()
    await writeFiles(folder.path, {
      'bare.json': json,
      // What `JSON.stringify(model)` makes of it.
      'twice.json': JSON.stringify(json),
      'empty/model.json': JSON.stringify({ modelTopology, weightsManifest: [] }),
      'made.mjs': `export const createModel = async (tf) => tf.sequential({ layers: [
        tf.layers.dense({ units: 5, inputShape: [4], activation: 'relu' , name: 'a' }),
        tf.layers.dense({ units: 3, name: 'b' })] })`,
    })
    for (const [file, name] of [
      ['bare.json', 'bare'],
      ['twice.json', 'twice'],
      ['empty', 'empty'],
      ['made.mjs', 'made'],
    ] as const) {
      const own = await readOwnModel(join(folder.path, file))
      expect(own).toMatchObject({ name, initial: null, notes: [] })
      const network = await openTopology(name, own.topology, { inputShape: [4], numClasses: 3 })
      expect(network.weights.map((weight) => weight.name)).toEqual(NAMES)
    }
  })

  it('should name the layers whose regularisers and constraints do nothing, and keep them', async () => {
    await using folder = await createTemporaryFolder()
    await writeFiles(folder.path, {
      'held.mjs': `export const createModel = (tf) => tf.sequential({ layers: [
        tf.layers.dense({ units: 5, inputShape: [4], name: 'a', kernelRegularizer: 'l1l2' }),
        tf.layers.batchNormalization({ name: 'norm', gammaRegularizer: tf.regularizers.l2() }),
        tf.layers.dense({ units: 3, name: 'b', biasConstraint: 'nonNeg' })] })`,
    })
    const own = await readOwnModel(join(folder.path, 'held.mjs'))
    expect(own.notes).toEqual([
      expect.stringMatching(/^The regularisers of held are not heeded \(layers a, norm\): .*alone/),
      expect.stringMatching(/^The constraints of held are not heeded \(layers b\): /),
    ])
    const network = await openTopology('held', own.topology, { inputShape: [4], numClasses: 3 })
    const built = network.build()
    expect(built.toJSON(null, true)).toContain('"kernel_regularizer":{"class_name":"L1L2"')
    built.dispose()
  })

  it('should name the layers whose initialisers draw nothing, unless weights come with them', async () => {
    await using folder = await createTemporaryFolder()
    const layers = `[
      tf.layers.dense({ units: 5, inputShape: [4], name: 'a', kernelInitializer: 'heNormal' }),
      tf.layers.batchNormalization({ name: 'norm' }),
      tf.layers.dense({ units: 3, name: 'b', biasInitializer: tf.initializers.constant({ value: 1 }) })]`
    await writeFiles(folder.path, {
      'drawn.mjs': `export const createModel = (tf) => tf.sequential({ layers: ${layers} })`,
    })
    expect((await readOwnModel(join(folder.path, 'drawn.mjs'))).notes).toEqual([
      expect.stringMatching(/^The initialisers of drawn are not heeded \(layers a, b\): .*He’s/),
    ])
    const { createModel } = (await import(join(folder.path, 'drawn.mjs'))) as {
      createModel: (tensorflow: typeof tf) => tf.LayersModel
    }
    const model = createModel(tf)
    await writeLayersModel(join(folder.path, 'filled'), model)
    model.dispose()
    expect((await readOwnModel(join(folder.path, 'filled'))).notes).toEqual([])
  })

  it('should find them in a list of layers as well, as Keras 1 has it', async () => {
    await using folder = await createTemporaryFolder()
    const layer = { name: 'a', units: 3, batch_input_shape: [null, 4], kernel_regularizer: null }
    const chain = (config: object) =>
      JSON.stringify({ class_name: 'Sequential', config: [{ class_name: 'Dense', config }] })
    await writeFiles(folder.path, {
      'free.json': chain(layer),
      'held.json': chain({ ...layer, kernel_regularizer: { class_name: 'L1L2', config: {} } }),
    })
    expect((await readOwnModel(join(folder.path, 'free.json'))).notes).toEqual([])
    expect((await readOwnModel(join(folder.path, 'held.json'))).notes).toEqual([
      expect.stringMatching(/^The regularisers of held .*\(layers a\)/),
    ])
  })

  it.each([
    ['gone/', {}, /gone\/.*\(GRAFT_FILE_UNREADABLE\)/],
    ['a.json', { 'a.json': '{' }, /a\.json: It is not JSON/],
    ['a.json', { 'a.json': '{"a": 1}' }, /topology of a is not/],
    ['a.mjs', { 'a.mjs': 'export const x = 1' }, /must export createModel\(tf\)/],
    ['a.mjs', { 'a.mjs': 'syntax error' }, /cannot be imported/],
    [
      'a.mjs',
      { 'a.mjs': 'export function createModel() { throw new Error("no disk") }' },
      /createModel\(\) failed: no disk/,
    ],
  ])('should refuse %s of %j', async (file, files, problem) => {
    await using folder = await createTemporaryFolder()
    await writeFiles(folder.path, files)
    await expect(readOwnModel(join(folder.path, file))).rejects.toThrow(problem)
  })
})

const NAMES = ['a.kernel', 'a.bias', 'b.kernel', 'b.bias']

function net(activation: 'linear' | 'softmax'): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.dense({ units: 5, inputShape: [4], activation: 'relu', name: 'a' }),
      tf.layers.dense({ units: 3, activation, name: 'b' }),
    ],
  })
}

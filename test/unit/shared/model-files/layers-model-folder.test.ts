import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  readLayersModel,
  writeLayersModel,
} from '../../../../shared/model-files/layers-model-folder.ts'
import { parseArchitecture } from '../../../../shared/model/architectures.ts'
import { buildModel } from '../../../../shared/model/build-model.ts'
import { neuronGraph } from '../../../../shared/model/neuron-graph.ts'
import { readWeights } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'

const IMAGES = { inputShape: [32, 32, 3], numClasses: 10 }

beforeAll(startTestEngine)

describe('readLayersModel', () => {
  it.each(['mlp:3072-7-10', 'lenet', 'vgg11-bn:2', 'resnet18:2', 'vit:64x2'])(
    'should give back %s as it was written',
    async (spec) => {
      await using folder = await createTemporaryFolder()
      const model = newModel(spec)
      await writeLayersModel(folder.path, model)
      const read = await readLayersModel(folder.path)
      expect(await readWeights(read)).toEqual(await readWeights(model))
      expect(await logitsOf(read)).toEqual(await logitsOf(model))
      expect(neuronGraph(read).levels).toEqual(neuronGraph(model).levels)
      model.dispose()
      read.dispose()
    },
  )

  it('should read what TensorFlow.js for Node.js wrote, a chain with its optimizer', async () => {
    await using folder = await createTemporaryFolder()
    const model = tf.sequential({
      layers: [tf.layers.dense({ units: 3, inputShape: [2], activation: 'relu', name: 'd' })],
    })
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
    await model.trainOnBatch(tf.ones([1, 2]), tf.ones([1, 3]))
    await model.save(fileSystem(folder.path), { includeOptimizer: true })
    const read = await readLayersModel(folder.path)
    expect(await readWeights(read)).toEqual(await readWeights(model))
    model.dispose()
    read.dispose()
  })

  it('should refuse files outside of the folder', async () => {
    await using folder = await createTemporaryFolder()
    await writeSmallModel(folder.path)
    for (const path of ['../weights.bin', '/etc/passwd', 'a/../../b', '..', '.', 'a\0']) {
      await edit(folder.path, (json) => (json.weightsManifest[0]!.paths = [path]))
      await expect(readLayersModel(folder.path)).rejects.toThrow(
        expect.objectContaining({
          code: 'GRAFT_MODEL_FILE_INVALID',
          message: expect.stringMatching(
            /model\.json: It names ".*", which is no file of its folder/,
          ),
        }),
      )
    }
  })

  it('should read files in folders of the folder', async () => {
    await using folder = await createTemporaryFolder()
    await writeSmallModel(folder.path)
    await rename(join(folder.path, 'group1-shard1of1.bin'), join(folder.path, '..weights'))
    await edit(folder.path, (json) => (json.weightsManifest[0]!.paths = ['./..weights']))
    const read = await readLayersModel(folder.path)
    read.dispose()
  })

  it.each<[string, (json: ModelJson) => unknown, string]>([
    ['a graph model', (json) => (json.format = 'graph-model'), 'format is graph-model'],
    ['no topology', (json) => delete json.modelTopology, 'no modelTopology'],
    ['no manifest', (json) => (json.weightsManifest = 1 as never), 'no weightsManifest'],
    ['a group without paths', (json) => (json.weightsManifest = [{} as never]), 'list of groups'],
    [
      'a weight too few',
      (json) => json.weightsManifest[0]!.weights.pop(),
      'take 24 bytes, its files',
    ],
    ['a negative size', (json) => (weightOf(json).shape = [-1]), 'The shape of fc1/kernel is not'],
    ['strings', (json) => (weightOf(json).dtype = 'string'), 'fc1/kernel has no dtype of float32'],
    [
      'another name',
      (json) => (weightOf(json).name = 'fc9/kernel'),
      'no target variable: fc9/kernel',
    ],
    ['another shape', (json) => (weightOf(json).shape = [2, 3]), 'Shape mismatch'],
    [
      'a layer that nobody knows',
      (json) => (json.modelTopology!.config.layers[1]!.class_name = 'Odd'),
      'Unknown layer: Odd',
    ],
  ])('should refuse %s, and name the file', async (_, change, message) => {
    await using folder = await createTemporaryFolder()
    await writeSmallModel(folder.path)
    await edit(folder.path, change)
    await expect(readLayersModel(folder.path)).rejects.toThrow(
      expect.objectContaining({
        code: 'GRAFT_MODEL_FILE_INVALID',
        message: expect.stringContaining(message),
      }),
    )
    await expect(readLayersModel(folder.path)).rejects.toThrow(join(folder.path, 'model.json'))
  })

  it('should refuse what is no JSON, and name files that are missing', async () => {
    await using folder = await createTemporaryFolder()
    await expect(readLayersModel(folder.path)).rejects.toThrow(
      expect.objectContaining({ code: 'GRAFT_FILE_UNREADABLE' }),
    )
    await writeFile(join(folder.path, 'model.json'), '{')
    await expect(readLayersModel(folder.path)).rejects.toThrow('model.json: It is not JSON.')
    await writeSmallModel(folder.path)
    await rename(join(folder.path, 'group1-shard1of1.bin'), join(folder.path, 'gone'))
    await expect(readLayersModel(folder.path)).rejects.toThrow('group1-shard1of1.bin')
  })

  it('should leave no tensor behind, read or refused', async () => {
    await using folder = await createTemporaryFolder()
    await writeSmallModel(folder.path)
    await expectNoLeakAsync(async () => {
      const model = await readLayersModel(folder.path)
      model.dispose()
    })
    await edit(folder.path, (json) => (weightOf(json).name = 'fc9/kernel'))
    await expectNoLeakAsync(() => expect(readLayersModel(folder.path)).rejects.toThrow('fc9'))
  })
})

describe('writeLayersModel', () => {
  it('should write what TensorFlow.js for Node.js reads, in shards of 4 MiB', async () => {
    await using folder = await createTemporaryFolder()
    const model = newModel('mlp:3072-512-10')
    await writeLayersModel(join(folder.path, 'new'), model)
    expect((await readdir(join(folder.path, 'new'))).sort()).toEqual([
      'group1-shard1of2.bin',
      'group1-shard2of2.bin',
      'model.json',
    ])
    const read = await tf.loadLayersModel(fileSystem(join(folder.path, 'new', 'model.json')))
    const [given, wanted] = [await readWeights(read), await readWeights(model)]
    expect(given.map(({ name }) => name)).toEqual(wanted.map(({ name }) => name))
    // Not `toEqual`, which takes ten seconds for 1.6 million numbers.
    expect(given.every(({ data }, i) => data.every((x, at) => x === wanted[i]!.data[at]))).toBe(
      true,
    )
    model.dispose()
    read.dispose()
  })

  it('should write the same bytes for the same model', async () => {
    await using folder = await createTemporaryFolder()
    const files = []
    for (const name of ['a', 'b']) {
      const model = newModel('vit:32x1')
      await writeLayersModel(join(folder.path, name), model)
      model.dispose()
      files.push(await readFile(join(folder.path, name, 'model.json'), 'utf8'))
    }
    expect(files[0]).toBe(files[1])
  })

  it('should refuse to write where a file is', async () => {
    await using folder = await createTemporaryFolder()
    await writeFile(join(folder.path, 'file'), '')
    const model = newModel('mlp:3072-2-10')
    await expect(writeLayersModel(join(folder.path, 'file'), model)).rejects.toThrow(
      expect.objectContaining({ code: 'GRAFT_FILE_UNREADABLE' }),
    )
    model.dispose()
  })
})

// Helpers

/** What these tests change of a model.json. */
interface ModelJson {
  format: string
  modelTopology?: { config: { layers: { class_name: string }[] } }
  weightsManifest: {
    paths: string[]
    weights: { name: string; shape: number[]; dtype: string }[]
  }[]
}

const weightOf = (json: ModelJson) => json.weightsManifest[0]!.weights[0]!

async function edit(folder: string, change: (json: ModelJson) => unknown): Promise<void> {
  const path = join(folder, 'model.json')
  const json = JSON.parse(await readFile(path, 'utf8')) as ModelJson
  change(json)
  await writeFile(path, JSON.stringify(json))
}

async function writeSmallModel(folder: string): Promise<void> {
  const data = { inputShape: [3], numClasses: 2 }
  const model = buildModel(parseArchitecture('mlp:3-2', data), createRng('7'))
  await writeLayersModel(folder, model)
  model.dispose()
}

const newModel = (spec: string) => buildModel(parseArchitecture(spec, IMAGES), createRng('7'))

async function logitsOf(model: tf.LayersModel): Promise<number[]> {
  const logits = tf.tidy(() => {
    const x = tf.sin(tf.reshape(tf.range(0, 2 * 32 * 32 * 3), [2, 32, 32, 3]))
    return model.predict(x) as tf.Tensor
  })
  const values = await logits.data()
  logits.dispose()
  return [...values]
}

/** The handler behind `file://` of tfjs-node, which works without its native part. */
function fileSystem(path: string): tf.io.IOHandler {
  const require = createRequire(import.meta.url)
  const handlers = require('@tensorflow/tfjs-node/dist/io/file_system.js') as {
    fileSystem(path: string): tf.io.IOHandler
  }
  return handlers.fileSystem(path)
}

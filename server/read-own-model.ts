import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../shared/errors.ts'
import { MODEL_JSON } from '../shared/model/layers-model-format.ts'
import { encodeSafetensors } from '../shared/model/safetensors.ts'
import { topologyIn } from '../shared/model/topology.ts'
import { withoutSoftmax } from '../shared/model/without-softmax.ts'
import { readWeights } from '../shared/model/weights.ts'
import { readLayersModel } from '../shared/model-files/layers-model-folder.ts'
import { naming } from '../shared/naming.ts'
import { fileOf, type ModelFile } from './read-model-file.ts'

/** A model of the user's own, as a run sends it: layers as data, and weights. */
export interface OwnModel {
  /** Of its file or folder, without the way there. */
  readonly name: string
  /** JSON. */
  readonly topology: string
  /** Where the run starts; null where it has no weights, and for a module, whose weights differ each time. */
  readonly initial: ModelFile | null
  /** What was changed, a sentence each. */
  readonly notes: readonly string[]
}

/** Whether `--model` is a path rather than a spec as in `mlp:784-64-10`. */
export function isModelPath(model: string): boolean {
  return /\.(json|m?js)$/i.test(model) || model.includes('/') || existsSync(join(model, MODEL_JSON))
}

/**
 * Reads a model of the user's own: a TensorFlow.js folder, its `model.json`, a topology as `model.toJSON()`
 * writes it, or a module that exports `createModel(tf)` or `model`. The module runs in this process only, with
 * all that it may do; what a run sends of it are its layers, as data.
 *
 * @throws GraftError GRAFT_FILE_UNREADABLE, GRAFT_MODEL_FILE_INVALID, GRAFT_LAYER_UNSUPPORTED
 */
export async function readOwnModel(path: string): Promise<OwnModel> {
  return naming(path, async () => {
    if (/\.m?js$/i.test(path)) return readModule(path)
    const isFolder = extname(path) !== '.json' || (await stat(path)).isDirectory()
    return readJson(path, isFolder ? join(path, MODEL_JSON) : path)
  })
}

async function readJson(path: string, file: string): Promise<OwnModel> {
  const parsed = parse(await readFile(file, 'utf8'))
  const { weightsManifest } = parsed as { weightsManifest?: unknown }
  const name = nameOf(path)
  const hasWeights = Array.isArray(weightsManifest) && weightsManifest.length > 0
  return modelOf(name, parsed, hasWeights ? await weightsIn(file) : null)
}

function modelOf(name: string, parsed: unknown, initial: ModelFile | null): OwnModel {
  const topology = topologyIn(name, parsed)
  const logits = withoutSoftmax(topology)
  const layers = layersOf(topology)
  const notes = unheededOf(name, layers)
  if (initial === null) notes.push(...undrawnOf(name, layers))
  if (logits !== topology) {
    notes.push(
      `The softmax that ${name} ends in is left out: Graft trains on logits, and publishes a network of logits.`,
    )
  }
  return { name, topology: logits, initial, notes }
}

/** What Keras calls them at the end of a layer's setting, as in `kernel_regularizer`. */
const UNHEEDED = { regularizer: 'regularisers', constraint: 'constraints' } as const

/**
 * What of the layers does nothing here. The model is still worth training, hence no refusal; but whoever wrote
 * a regulariser into it must not believe that it is at work.
 */
function unheededOf(name: string, layers: Layers): string[] {
  return Object.entries(UNHEEDED).flatMap(([ending, word]) => {
    const found = layers.filter(({ config: of = {} }) =>
      Object.keys(of).some((key) => key.toLowerCase().endsWith(ending) && Boolean(of[key])),
    )
    if (found.length === 0) return []
    return [
      `The ${word} of ${name} are not heeded (layers ${namesOf(found)}): clients and tuning lower the cross-entropy alone. They stay in the layers that are published.`,
    ]
  })
}

/** What layers have when nobody chose; Glorot's distributions are written so, or as a VarianceScaling. */
const DEFAULT_INITIALIZERS = ['GlorotUniform', 'GlorotNormal', 'RandomUniform', 'Zeros', 'Ones']

/** Layers that ask for an initialiser of their own, which a run without weights to start from does not follow. */
function undrawnOf(name: string, layers: Layers): string[] {
  const found = layers.filter(({ config = {} }) =>
    Object.entries(config).some(
      ([key, value]) => key.toLowerCase().endsWith('initializer') && !isDefaultInitializer(value),
    ),
  )
  if (found.length === 0) return []
  return [
    `The initialisers of ${name} are not heeded (layers ${namesOf(found)}): Graft draws an untrained network by the seed, kernels from He’s uniform distribution. Give a folder with weights to start from yours.`,
  ]
}

function isDefaultInitializer(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  const { class_name, config } = value as { class_name?: unknown; config?: InitializerConfig }
  if (class_name !== 'VarianceScaling') return DEFAULT_INITIALIZERS.includes(String(class_name))
  return config?.scale === 1 && config.mode === 'fan_avg'
}

type InitializerConfig = { scale?: unknown; mode?: unknown }

function layersOf(topology: string): Layers {
  const { config } = JSON.parse(topology) as { config: Layers | { layers: Layers } }
  // A chain's config is a list of layers in old files.
  return Array.isArray(config) ? config : config.layers
}

const namesOf = (layers: Layers): string =>
  layers.map((layer) => String(layer.config?.['name'] ?? layer.name)).join(', ')

type Layers = { name?: unknown; config?: Record<string, unknown> }[]

/** Weights as a file of Graft's own would have them: their hash is in the run's settings. */
async function weightsIn(file: string): Promise<ModelFile> {
  if (basename(file) !== MODEL_JSON) {
    throw invalid(`A topology with weights lies in a folder, in ${MODEL_JSON}.`)
  }
  const model = await readLayersModel(dirname(file))
  try {
    return fileOf(file, encodeSafetensors(await readWeights(model), {}))
  } finally {
    model.dispose()
  }
}

async function readModule(path: string): Promise<OwnModel> {
  let exported: { createModel?: unknown; model?: unknown }
  try {
    exported = (await import(pathToFileURL(resolve(path)).href)) as typeof exported
  } catch (cause) {
    throw invalid(`It cannot be imported: ${messageOf(cause)}.`, cause)
  }
  const { createModel, model } = exported
  const made = await callOrTake(createModel, model)
  if (!isLayersModel(made)) {
    throw invalid(
      'It must export createModel(tf), which returns a tf.LayersModel, or such a model as model.',
    )
  }
  const name = nameOf(path)
  try {
    return modelOf(name, parse(made.toJSON(null, true)), null)
  } finally {
    if (typeof createModel === 'function') made.dispose()
  }
}

async function callOrTake(createModel: unknown, model: unknown): Promise<unknown> {
  if (typeof createModel !== 'function') return model
  try {
    return await (createModel as (tensorflow: typeof tf) => unknown)(tf)
  } catch (cause) {
    throw invalid(`createModel() failed: ${messageOf(cause)}.`, cause)
  }
}

/** It may be of another copy of TensorFlow.js, hence no instanceof. */
function isLayersModel(value: unknown): value is {
  toJSON(unused: null, returnString: true): string
  dispose(): void
} {
  return typeof value === 'object' && value !== null && 'layers' in value && 'toJSON' in value
}

function nameOf(path: string): string {
  const file = resolve(path)
  const named = basename(file) === MODEL_JSON ? dirname(file) : file
  return basename(named).replace(/\.(json|m?js)$/i, '')
}

/** TensorFlow.js writes a network as text, so that `JSON.stringify(model)` makes text of the text. */
function parse(text: string): unknown {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'string' ? (JSON.parse(value) as unknown) : value
  } catch (cause) {
    throw invalid('It is not JSON.', cause)
  }
}

function messageOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause)
  return (text.split('\n', 1)[0] ?? '').replace(/\.$/, '')
}

function invalid(problem: string, cause?: unknown): GraftError {
  return new GraftError('GRAFT_MODEL_FILE_INVALID', problem, { cause })
}

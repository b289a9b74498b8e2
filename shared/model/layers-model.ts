import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../errors.ts'
import {
  bytesOfWeights,
  MODEL_JSON,
  type ManifestWeight,
  type ModelJson,
} from './layers-model-format.ts'
import { registerLayers } from './layers/register-layers.ts'

/** As large as those of TensorFlow's converter: browsers cache and fetch them one by one. */
const SHARD_BYTES = 4 * 1024 * 1024

/** What of a saved topology is looked at here; a chain's layers have no name beside their config. */
interface Graph {
  readonly config: { readonly layers: readonly { readonly name?: string }[] }
}
type Topology = Parameters<typeof tf.models.modelFromJSON>[0]

/**
 * Writes a model in TensorFlow.js's own format, which `tf.loadLayersModel` reads in browsers and Node.js.
 *
 * @param model borrowed
 * @returns contents of the files of its folder by their names, `model.json` last
 */
export async function encodeLayersModel(model: tf.LayersModel): Promise<Map<string, Uint8Array>> {
  const artifacts = await artifactsOf(model)
  const bytes = joined([artifacts.weightData ?? []].flat())
  const numShards = Math.max(1, Math.ceil(bytes.length / SHARD_BYTES))
  const files = new Map<string, Uint8Array>()
  for (let i = 0; i < numShards; i++) {
    const shard = bytes.subarray(i * SHARD_BYTES, (i + 1) * SHARD_BYTES)
    files.set(`group1-shard${i + 1}of${numShards}.bin`, shard)
  }
  const json = {
    format: artifacts.format,
    generatedBy: artifacts.generatedBy,
    convertedBy: artifacts.convertedBy,
    modelTopology: inOrderOfMaking(artifacts.modelTopology as Graph, model),
    weightsManifest: [{ paths: [...files.keys()], weights: artifacts.weightSpecs }],
  }
  return files.set(MODEL_JSON, new TextEncoder().encode(JSON.stringify(json)))
}

/**
 * Builds the model that a `model.json` and its weights describe.
 *
 * @param shards contents of the files that `paths` names, in order; borrowed
 * @returns a model the caller owns and disposes
 * @throws GraftError GRAFT_MODEL_FILE_INVALID when they do not describe a model
 */
export async function decodeLayersModel(
  { topology, weights }: ModelJson,
  shards: readonly Uint8Array[],
): Promise<tf.LayersModel> {
  registerLayers()
  const bytes = joined(shards)
  const wanted = bytesOfWeights(weights)
  if (bytes.length !== wanted) {
    throw invalid(`Its weights take ${wanted} bytes, its files have ${bytes.length} for them.`)
  }
  const model = await orInvalid(() =>
    tf.models.modelFromJSON({ modelTopology: topology } as Topology),
  )
  try {
    await orInvalid(async () => loadWeights(model, weights, bytes))
  } catch (error) {
    model.dispose()
    throw error
  }
  return model
}

async function artifactsOf(model: tf.LayersModel): Promise<tf.io.ModelArtifacts> {
  let artifacts: tf.io.ModelArtifacts = {}
  await model.save(
    tf.io.withSaveHandler(async (given) => {
      artifacts = given
      return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(given) }
    }),
  )
  return artifacts
}

/**
 * Layers in the order in which they were made. TensorFlow.js writes them by their distance from the output,
 * and a model read back would have its weights in that order.
 */
function inOrderOfMaking(topology: Graph, model: tf.LayersModel): Graph {
  const ids = new Map(model.layers.map(({ name, id }) => [name, id]))
  const idOf = ({ name = '' }) => ids.get(name) ?? 0
  const layers = topology.config.layers.toSorted((a, b) => idOf(a) - idOf(b))
  return { ...topology, config: { ...topology.config, layers } }
}

function loadWeights(
  model: tf.LayersModel,
  weights: readonly ManifestWeight[],
  bytes: Uint8Array<ArrayBuffer>,
): void {
  const values = tf.io.decodeWeights(bytes.buffer, weights as tf.io.WeightsManifestEntry[])
  const names = new Set(
    weights.filter(({ group }) => group !== 'optimizer').map(({ name }) => name),
  )
  try {
    model.loadWeights(
      Object.fromEntries(Object.entries(values).filter(([name]) => names.has(name))),
    )
  } finally {
    tf.dispose(values)
  }
}

/** TensorFlow.js says what is wrong with a model in errors of its own. */
async function orInvalid<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const [problem = ''] = error instanceof Error ? error.message.split('\n', 1) : [String(error)]
    throw invalid(problem, error)
  }
}

function joined(parts: readonly (ArrayBuffer | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(new Uint8Array(part), at)
    at += part.byteLength
  }
  return bytes
}

function invalid(problem: string, cause?: unknown): GraftError {
  return new GraftError('GRAFT_MODEL_FILE_INVALID', problem, { cause })
}

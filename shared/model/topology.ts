import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../errors.ts'
import type { DataShape } from './architecture.ts'
import { isKnownLayer } from './layer-ops.ts'
import { registerLayers } from './layers/register-layers.ts'
import { modelVariables } from './model-variables.ts'
import type { Network } from './network.ts'
import { opGraphOf } from './op-graph.ts'
import { MOST_TOPOLOGY_CHARACTERS } from './topology-limit.ts'
import { sizeOf } from './weights.ts'

/** Weights of a network that a coordinator sends; 1 GiB as float32. */
const MOST_WEIGHTS = 2 ** 28

/** What of a topology is looked at before TensorFlow.js reads it. */
interface Topology {
  readonly class_name: string
  readonly config: Readonly<Record<string, unknown>>
}

/**
 * Opens a network whose layers come from elsewhere, as JSON: `{ class_name, config }`, what `model.toJSON()`
 * of TensorFlow.js writes. It is data: layers of kinds that this process does not know are refused, a Lambda or
 * a model within the model among them, and nothing in it is run or imported.
 *
 * @param name what the coordinator calls it
 * @param text JSON
 * @param data what the network must read and tell apart
 * @throws GraftError GRAFT_MODEL_FILE_INVALID for what is no topology, or too large; GRAFT_LAYER_UNSUPPORTED
 *   naming the layer; GRAFT_ARCHITECTURE_INVALID when it does not fit the data
 */
export async function openTopology(name: string, text: string, data: DataShape): Promise<Network> {
  registerLayers()
  const topology = parseTopology(name, text)
  const model = await buildOnce(name, topology)
  try {
    assertFits(name, model, data)
    opGraphOf(model)
    const { make, config } = recipeOf(model)
    return {
      name,
      architecture: null,
      weights: modelVariables(model).map(({ name: weight, variable }) => ({
        name: weight,
        shape: [...variable.shape] as number[],
      })),
      build: () => make.fromConfig(make, structuredClone(config), {}, true),
    }
  } finally {
    model.dispose()
  }
}

/**
 * The topology in a file's JSON: that of a `model.json`, of `model.toJSON()`, or of Keras 2.
 * @throws GraftError GRAFT_MODEL_FILE_INVALID when there is none
 */
export function topologyIn(name: string, parsed: unknown): string {
  const inside = (value: unknown, key: string): unknown => {
    const record = asRecord(value)
    return record[key] === undefined ? value : record[key]
  }
  const { class_name, config } = asRecord(inside(inside(parsed, 'modelTopology'), 'model_config'))
  const text = JSON.stringify({ class_name, config })
  parseTopology(name, text)
  return text
}

function parseTopology(name: string, text: string): Topology {
  if (text.length > MOST_TOPOLOGY_CHARACTERS) {
    throw invalid(
      `The topology of ${name} has ${text.length} characters; a run sends at most ${MOST_TOPOLOGY_CHARACTERS}.`,
    )
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw invalid(`The topology of ${name} is not JSON.`, cause)
  }
  const { class_name, config } = asRecord(parsed)
  // A chain's config is a list of layers in old files.
  const layers: unknown = Array.isArray(config) ? config : asRecord(config)['layers']
  if (typeof class_name !== 'string' || !Array.isArray(layers)) {
    throw invalid(`The topology of ${name} is not { class_name, config: { layers } }.`)
  }
  for (const layer of layers) assertKnown(name, asRecord(layer))
  return parsed as Topology
}

function assertKnown(name: string, layer: Readonly<Record<string, unknown>>): void {
  const className = layer['class_name']
  if (typeof className === 'string' && isKnownLayer(className)) return
  const called = asRecord(layer['config'])['name'] ?? layer['name']
  throw new GraftError(
    'GRAFT_LAYER_UNSUPPORTED',
    `${name} has a layer ${JSON.stringify(called ?? null)} of the kind ${JSON.stringify(className ?? null)}, which is not known here.`,
  )
}

/** Refuses before a layer has the memory that it asks for. TensorFlow.js says what is wrong in its own words. */
async function buildOnce(name: string, topology: Topology): Promise<tf.LayersModel> {
  try {
    return await withinBudget(name, () =>
      tf.models.modelFromJSON({ modelTopology: topology } as unknown as Parameters<
        typeof tf.models.modelFromJSON
      >[0]),
    )
  } catch (error) {
    if (error instanceof GraftError) throw error
    const [problem = ''] = error instanceof Error ? error.message.split('\n', 1) : [String(error)]
    throw invalid(`The topology of ${name} cannot be built: ${problem}`, error)
  }
}

type AddWeight = (name: string, shape: tf.Shape, ...rest: unknown[]) => tf.LayerVariable

/**
 * Counts the weights that layers ask for while a model is built, which happens at once: nothing else can run
 * before the promise is there. TensorFlow.js has no other place to say no in.
 */
function withinBudget<T>(name: string, build: () => Promise<T>): Promise<T> {
  const layer = tf.layers.Layer.prototype as unknown as { addWeight: AddWeight }
  const addWeight = layer.addWeight
  let count = 0
  layer.addWeight = function (this: tf.layers.Layer, weight, shape, ...rest) {
    count += sizeOf(shape as number[])
    if (!(count <= MOST_WEIGHTS)) {
      throw invalid(`${name} has more than ${MOST_WEIGHTS} weights, the most that a run sends.`)
    }
    return addWeight.call(this, weight, shape, ...rest)
  }
  try {
    return build()
  } finally {
    layer.addWeight = addWeight
  }
}

function assertFits(
  name: string,
  { inputs, outputs }: tf.LayersModel,
  { inputShape, numClasses }: DataShape,
): void {
  const [reads, gives] = [inputs, outputs].map((tensors) =>
    tensors.map(({ shape }) => `[${shape.slice(1).join(', ')}]`).join(' and '),
  )
  const wanted = `[${inputShape.join(', ')}]`
  if (reads !== wanted) {
    throw unfit(
      `${name} reads inputs ${reads}, and an example is ${wanted}: give it that input, or read the data so (--image-size, --channels).`,
    )
  }
  if (gives !== `[${numClasses}]`) {
    throw unfit(
      `${name} gives ${gives}, and there are ${numClasses} classes: end it in ${numClasses} units.`,
    )
  }
}

/** How to build the model again, its layers in the order in which they were made: that of its weights. */
function recipeOf(model: tf.LayersModel) {
  const config = model.getConfig() as { layers: { name?: string }[] }
  const ids = new Map(model.layers.map(({ name, id }) => [name, id]))
  const idOf = ({ name = '' }) => ids.get(name) ?? 0
  return {
    make: model.constructor as unknown as Recipe,
    config: { ...config, layers: config.layers.toSorted((a, b) => idOf(a) - idOf(b)) },
  }
}

interface Recipe {
  fromConfig(make: Recipe, config: object, customs: object, isFast: boolean): tf.LayersModel
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function invalid(problem: string, cause?: unknown): GraftError {
  return new GraftError('GRAFT_MODEL_FILE_INVALID', problem, { cause })
}

function unfit(problem: string): GraftError {
  return new GraftError('GRAFT_ARCHITECTURE_INVALID', problem)
}

import type * as tf from '@tensorflow/tfjs'
import { GraftError } from '../errors.ts'

/**
 * How one weight belongs to the neurons of a level. Seen as [..., repeats, width, ...], `axis` of the
 * weight indexes them: index = repeat * width + neuron. `repeats` is 1 but for a dense kernel that
 * reads a flattened feature map [height, width, channel], where each channel has height*width rows.
 */
export interface Member {
  /** Name of the weight, as in {@link import('./weights.ts').NamedTensor}. */
  readonly weight: string
  /**
   * kernel, bias: produce the neurons; gamma, beta, movingMean, movingVariance: the batch normalisation
   * behind them; reader: the next level's kernel, whose input axis reads them.
   */
  readonly role: 'kernel' | 'bias' | 'gamma' | 'beta' | 'movingMean' | 'movingVariance' | 'reader'
  readonly axis: number
  readonly repeats: number
}

/** One level: neurons that must be kept, permuted or pruned together in every member weight. */
export interface Level {
  /** 0-based, input side first. */
  readonly index: number
  /** The layer that produces the neurons (dense or conv2d). */
  readonly layer: string
  /** Number of neurons: units or channels. */
  readonly width: number
  /** The last level, whose neurons are the classes; it has no reader and is never pruned or permuted. */
  readonly isHead: boolean
  readonly members: readonly Member[]
}

/**
 * Cuts a chain of layers into levels: each dense or conv2d layer with what follows it up to the next.
 * Reads the model's own layers, so a model built elsewhere has levels too.
 *
 * @throws GraftError GRAFT_LAYER_UNSUPPORTED naming the first layer whose neurons cannot be followed
 */
export function levelsOf(model: tf.LayersModel): Level[] {
  const levels: OpenLevel[] = []
  let previous: tf.layers.Layer | undefined
  for (const layer of model.layers) {
    assertChained(layer, previous)
    previous = layer
    const current = levels.at(-1)
    switch (layer.getClassName()) {
      case 'Dense':
        levels.push(openLevel(layer, { inputAxis: 0, outputAxis: 1 }, current))
        break
      case 'Conv2D':
        levels.push(openLevel(layer, { inputAxis: 2, outputAxis: 3 }, current))
        break
      case 'BatchNormalization':
        current?.members.push(...batchNormMembers(layer, current))
        break
      case 'Flatten':
        if (current !== undefined) current.repeats = flattenedRows(layer)
        break
      case 'Activation':
      case 'ReLU':
        assertActivation(layer)
        break
      case 'InputLayer':
      case 'MaxPooling2D':
      case 'Dropout':
        break
      default:
        throw unsupported(layer, 'is of a kind whose neurons Graft cannot follow')
    }
  }
  return levels.map(({ layer, width, members }, index) => ({
    index,
    layer,
    width,
    isHead: index === levels.length - 1,
    members,
  }))
}

interface OpenLevel {
  readonly layer: string
  readonly width: number
  readonly members: Member[]
  /** Rows of the reader for each neuron: 1 until a flatten layer spreads a feature map. */
  repeats: number
}

/** Starts the level of a dense or conv2d layer, whose kernel ends the level before it. */
function openLevel(
  layer: tf.layers.Layer,
  { inputAxis, outputAxis }: { inputAxis: number; outputAxis: number },
  before: OpenLevel | undefined,
): OpenLevel {
  assertActivation(layer)
  const [kernel, bias] = layer.weights
  if (kernel?.shape.length !== outputAxis + 1) throw unsupported(layer, 'has no kernel yet')
  const name = `${layer.name}.kernel`
  before?.members.push({
    weight: name,
    role: 'reader',
    axis: inputAxis,
    repeats: before.repeats,
  })
  const members: Member[] = [{ weight: name, role: 'kernel', axis: outputAxis, repeats: 1 }]
  if (bias !== undefined) {
    members.push({ weight: `${layer.name}.bias`, role: 'bias', axis: 0, repeats: 1 })
  }
  return { layer: layer.name, width: kernel.shape[outputAxis] ?? 0, members, repeats: 1 }
}

function batchNormMembers(layer: tf.layers.Layer, { repeats }: OpenLevel): Member[] {
  const { axis, scale, center } = layer.getConfig()
  const lastAxis = (layer.input as tf.SymbolicTensor).shape.length - 1
  if (axis !== -1 && axis !== lastAxis) throw unsupported(layer, 'does not normalise the last axis')
  const roles = [
    ...(scale === true ? (['gamma'] as const) : []),
    ...(center === true ? (['beta'] as const) : []),
    'movingMean' as const,
    'movingVariance' as const,
  ]
  return roles.map((role) => ({ weight: `${layer.name}.${role}`, role, axis: 0, repeats }))
}

/** Positions of the feature map that a flatten layer lays out, [height, width, channel] row-major. */
function flattenedRows(layer: tf.layers.Layer): number {
  const shape = (layer.input as tf.SymbolicTensor).shape.slice(1, -1)
  if (shape.includes(null)) throw unsupported(layer, 'reads maps whose size is not fixed')
  return (shape as number[]).reduce((product, dim) => product * dim, 1)
}

/** What training and attribution can walk back through as well. */
const ACTIVATIONS = new Set(['linear', 'relu'])

function assertActivation(layer: tf.layers.Layer): void {
  const { activation } = layer.getConfig()
  if (typeof activation === 'string' && !ACTIVATIONS.has(activation)) {
    throw unsupported(layer, `applies ${activation}`)
  }
}

function assertChained(layer: tf.layers.Layer, previous: tf.layers.Layer | undefined): void {
  const isChained =
    !Array.isArray(layer.input) &&
    layer.inboundNodes.length === 1 &&
    (previous === undefined || layer.input === previous.output)
  if (!isChained) throw unsupported(layer, 'does not simply follow the layer before it')
}

function unsupported(layer: tf.layers.Layer, why: string): GraftError {
  return new GraftError(
    'GRAFT_LAYER_UNSUPPORTED',
    `Layer ${layer.name} (${layer.getClassName()}) ${why}.`,
  )
}

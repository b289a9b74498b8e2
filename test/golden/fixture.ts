import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { neuronGraph, type NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { parseSafetensors } from '../../shared/model/safetensors-format.ts'
import { sizeOf, type Weights, writeWeights } from '../../shared/model/weights.ts'
import { predict } from '../../shared/training/predict.ts'
import { arrayExamples } from '../../shared/data/array-examples.ts'

/** What a reference was given and what it gave, in torch's layout. */
export interface Fixture {
  readonly json: FixtureJson
  readonly tensors: ReadonlyMap<string, FixtureTensor>
}

export interface FixtureJson {
  readonly case: string
  /** e.g. ['linear', in, out, bias], ['conv', in, out, kernel, stride, pad, bias], ['bn', c], ['relu']. */
  readonly architecture?: readonly LayerJson[]
  readonly layer_names?: readonly string[]
  /** Number of parents, in cases that fuse. */
  readonly k?: number
  readonly tolerance: Readonly<Record<string, number | string>>
  readonly [key: string]: unknown
}

type LayerJson = readonly [string, ...(number | boolean)[]]

export interface FixtureTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array | Int32Array
}

/** Neurons of layers by name; those not named have as many as the fixture's own network. */
export type Widths = Readonly<Record<string, number>>

export const FIXTURES = 'test/golden/fixtures'

/** Names of the cases in a folder: those of its manifest, if there is one, and every other pair of files. */
export function casesIn(folder: string): string[] {
  const manifest = join(folder, 'manifest.json')
  const listed = existsSync(manifest)
    ? (JSON.parse(readFileSync(manifest, 'utf8')) as { files: { name: string }[] }).files
    : []
  const found = readdirSync(folder)
    .filter((file) => file.endsWith('.json') && file !== 'manifest.json')
    .map((file) => file.slice(0, -'.json'.length))
  return [...new Set([...listed.map(({ name }) => name), ...found])].sort()
}

/** Reads `<name>.json` and `<name>.safetensors`. */
export function loadFixture(name: string, folder = FIXTURES): Fixture {
  const json = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as FixtureJson
  const file = readFileSync(join(folder, `${name}.safetensors`))
  const tensors = parseSafetensors(file).entries.map(({ name, shape, dtype, bytes }) => {
    const { buffer } = new Uint8Array(bytes)
    const data = dtype === 'I32' ? new Int32Array(buffer) : new Float32Array(buffer)
    if (dtype !== 'I32' && dtype !== 'F32') throw new TypeError(`${name} is ${dtype}`)
    return [name, { shape, data }] as const
  })
  return { json, tensors: new Map(tensors) }
}

export function tensorOf({ tensors }: Fixture, name: string): FixtureTensor {
  const tensor = tensors.get(name)
  if (tensor === undefined) throw new TypeError(`There is no tensor ${name}`)
  return tensor
}

/** The float32 tensor of this name, in torch's layout. */
export function floats(fixture: Fixture, name: string): Float32Array {
  const { data } = tensorOf(fixture, name)
  if (!(data instanceof Float32Array)) throw new TypeError(`${name} is not of float32`)
  return data
}

/** The same in our layout: channels come last, [N, C, H, W] -> [N, H, W, C]. */
export function channelsLast(fixture: Fixture, name: string): Float32Array {
  const { shape } = tensorOf(fixture, name)
  const data = floats(fixture, name)
  return shape.length === 4 ? transposed(shape, data, [0, 2, 3, 1]) : data
}

/** The int32 tensor of this name. */
export function integers(fixture: Fixture, name: string): Int32Array {
  const { data } = tensorOf(fixture, name)
  if (!(data instanceof Int32Array)) throw new TypeError(`${name} is not of int32`)
  return data
}

/**
 * The fixture's network, images [height, width, channels].
 * @returns a model the caller owns and disposes
 */
export function modelOf(fixture: Fixture, widths: Widths = {}): tf.LayersModel {
  const { architecture = [], layer_names: names } = fixture.json
  const model = tf.sequential()
  const [, ...input] = tensorOf(fixture, 'X').shape
  const inputShape = input.length === 3 ? [input[1]!, input[2]!, input[0]!] : input
  model.add(tf.layers.inputLayer({ inputShape }))
  const made: Record<string, number> = {}
  let named = 0
  for (const layer of architecture) {
    for (const tfLayer of layersOf(layer, nextName)) model.add(tfLayer)
  }
  return model

  function nextName(prefix: string): { name: string; width: number | undefined } {
    made[prefix] = (made[prefix] ?? 0) + 1
    const name = names?.[named++] ?? `${prefix}${made[prefix]}`
    return { name, width: widths[name] }
  }
}

/** Neurons of the fixture's network. */
export function graphOf(fixture: Fixture, widths: Widths = {}): NeuronGraph {
  const model = modelOf(fixture, widths)
  try {
    return neuronGraph(model)
  } finally {
    model.dispose()
  }
}

/** Tensors whose names begin with `prefix` (`expected.upfront.fused.`), in our layout and order. */
export function weightsUnder(fixture: Fixture, prefix: string, widths: Widths = {}): Weights {
  const model = modelOf(fixture, widths)
  try {
    return model.layers.flatMap((layer, i) =>
      layer.weights.map((variable) => {
        const shape = variable.shape as number[]
        const ours = variable.originalName.split('/').at(-1)!
        const tensor = tensorOf(fixture, `${prefix}${layer.name}.${TORCH_NAMES[ours] ?? ours}`)
        if (sizeOf(tensor.shape) !== sizeOf(shape)) {
          throw new TypeError(`${prefix}${layer.name} is [${tensor.shape}], not as [${shape}]`)
        }
        return { name: nameOf(layer, ours), shape, data: fromTorch(tensor, model.layers[i - 1]) }
      }),
    )
  } finally {
    model.dispose()
  }
}

/** Logits of the network with these weights on a tensor of inputs, [N, classes]. */
export async function logitsOf(
  fixture: Fixture,
  weights: Weights,
  widths: Widths = {},
  inputs = 'X',
): Promise<Float32Array> {
  const model = modelOf(fixture, widths)
  try {
    writeWeights(model, weights)
    return await predict(model, examplesOf(fixture, model, inputs))
  } finally {
    model.dispose()
  }
}

/** Inputs of the fixture, `X` with its labels, others and where there are none with zeros. */
export function examplesOf(fixture: Fixture, model: tf.LayersModel, inputs = 'X') {
  const labels =
    inputs === 'X' && fixture.tensors.has('y')
      ? integers(fixture, 'y')
      : new Int32Array(tensorOf(fixture, inputs).shape[0]!)
  const inputShape = model.inputs[0]!.shape.slice(1) as number[]
  const numClasses = model.outputs[0]!.shape.at(-1)!
  return arrayExamples({ inputShape, numClasses }, channelsLast(fixture, inputs), labels)
}

const TORCH_NAMES: Readonly<Record<string, string>> = {
  kernel: 'weight',
  gamma: 'weight',
  beta: 'bias',
  moving_mean: 'running_mean',
  moving_variance: 'running_var',
}

const nameOf = (layer: tf.layers.Layer, variable: string): string =>
  `${layer.name}.${variable.replace(/_([a-z])/, (_, letter: string) => letter.toUpperCase())}`

type NextName = (prefix: string) => { name: string; width: number | undefined }

function layersOf([kind, ...values]: LayerJson, nextName: NextName): tf.layers.Layer[] {
  const [first = 0, second = 0, kernelSize = 0, strides = 0, padding = 0] = values.map(Number)
  switch (kind) {
    case 'linear': {
      const { name, width: units = second } = nextName('fc')
      return [tf.layers.dense({ name, units, useBias: values[2] === true })]
    }
    case 'conv': {
      const { name, width: filters = second } = nextName('conv')
      const useBias = values[5] === true
      const conv = { name, filters, kernelSize, strides, useBias }
      // `same` pads as torch does only where it pads alike on both sides.
      const isSame = strides === 1 && 2 * padding === kernelSize - 1
      if (padding === 0 || isSame) {
        return [tf.layers.conv2d({ ...conv, padding: padding === 0 ? 'valid' : 'same' })]
      }
      const pad: [[number, number], [number, number]] = [
        [padding, padding],
        [padding, padding],
      ]
      return [tf.layers.zeroPadding2d({ padding: pad }), tf.layers.conv2d(conv)]
    }
    case 'bn':
      return [tf.layers.batchNormalization({ name: nextName('bn').name, epsilon: 1e-5 })]
    case 'relu':
      return [tf.layers.reLU()]
    case 'pool':
      return [tf.layers.maxPooling2d({ poolSize: first, strides: second || first })]
    case 'flatten':
      return [tf.layers.flatten()]
    default:
      throw new TypeError(`Unknown layer ${kind}`)
  }
}

/** Linear [out, in] -> [in, out], Conv2d [out, in, kh, kw] -> [kh, kw, in, out]; a flattened map as a map. */
function fromTorch({ shape, data }: FixtureTensor, before?: tf.layers.Layer): Float32Array {
  if (shape.length === 4) return transposed(shape, data, [2, 3, 1, 0])
  if (shape.length === 1) return Float32Array.from(data)
  const map = before?.getClassName() === 'Flatten' ? (before.input as tf.SymbolicTensor).shape : []
  if (map.length !== 4) return transposed(shape, data, [1, 0])
  const [, height, width, channels] = map as number[]
  return transposed([shape[0]!, channels!, height!, width!], data, [2, 3, 1, 0])
}

/** @param axes for each axis of the result the one of `shape` */
function transposed(
  shape: readonly number[],
  data: ArrayLike<number>,
  axes: readonly number[],
): Float32Array {
  const strides = axes.map((axis) => sizeOf(shape.slice(axis + 1)))
  const target = axes.map((axis) => shape[axis]!)
  return Float32Array.from({ length: data.length }, (_, i) => {
    let [rest, at] = [i, 0]
    for (let axis = target.length - 1; axis >= 0; axis--) {
      at += (rest % target[axis]!) * strides[axis]!
      rest = Math.floor(rest / target[axis]!)
    }
    return data[at]!
  })
}

import { readFileSync } from 'node:fs'
import type { Architecture } from '../../shared/model/architecture.ts'
import type { LayerSpec } from '../../shared/model/layer-spec.ts'
import { parseSafetensors } from '../../shared/model/safetensors-format.ts'
import { fromTorch } from '../../shared/model/torch-layout.ts'
import { sizeOf, type NamedTensor, type Weights } from '../../shared/model/weights.ts'

export interface Fixture {
  readonly json: FixtureJson
  /** Every tensor of the file, in torch's layout. */
  readonly tensors: ReadonlyMap<string, FixtureTensor>
}

export interface FixtureJson {
  readonly case: string
  /** e.g. ['linear', in, out, bias], ['conv', in, out, kernel, stride, pad, bias], ['bn', c], ['relu']. */
  readonly architecture: readonly (readonly [string, ...(number | boolean)[]])[]
  readonly layer_names: readonly string[]
  /** Number of parents, in cases that fuse. */
  readonly k?: number
  readonly tolerance: Readonly<Record<string, number | string>>
  readonly [key: string]: unknown
}

export interface FixtureTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array | Int32Array
}

/** Reads `fixtures/<name>.json` and `fixtures/<name>.safetensors`. */
export function loadFixture(name: string): Fixture {
  const json = JSON.parse(read(`${name}.json`).toString('utf8')) as FixtureJson
  const tensors = parseSafetensors(read(`${name}.safetensors`)).entries.map(
    ({ name, shape, dtype, bytes }) => {
      const { buffer } = new Uint8Array(bytes)
      const data = dtype === 'I32' ? new Int32Array(buffer) : new Float32Array(buffer)
      if (dtype !== 'I32' && dtype !== 'F32') throw new TypeError(`${name} is ${dtype}`)
      return [name, { shape, data }] as const
    },
  )
  return { json, tensors: new Map(tensors) }
}

/** The float32 tensor of this name, in torch's layout. */
export function floats({ tensors }: Fixture, name: string): Float32Array {
  const data = tensors.get(name)?.data
  if (!(data instanceof Float32Array)) throw new TypeError(`There is no float32 tensor ${name}`)
  return data
}

/** The int32 tensor of this name. */
export function integers({ tensors }: Fixture, name: string): Int32Array {
  const data = tensors.get(name)?.data
  if (!(data instanceof Int32Array)) throw new TypeError(`There is no int32 tensor ${name}`)
  return data
}

/** The fixture's network in our terms; inputs are [height, width, channels]. */
export function architectureOf({ json, tensors }: Fixture): Architecture {
  const [, channels = 0, height = 0, width = 0] = tensors.get('X')?.shape ?? []
  const names = json.layer_names[Symbol.iterator]()
  const nextName = () => names.next().value ?? ''
  const layers = json.architecture.map((layer) => toSpec(layer, nextName))
  const head = layers.at(-1)
  return {
    name: json.case,
    inputShape: [height, width, channels],
    numClasses: head?.kind === 'dense' ? head.units : 0,
    layers,
  }
}

/** Weights of parent `k` in our layout and order. */
export function parentWeights(fixture: Fixture, k: number): Weights {
  return weightsUnder(fixture, `parents.${k}.`)
}

/** Weights whose names begin with `prefix` (`expected.upfront.fused.`), in our layout and order. */
export function weightsUnder(
  fixture: Fixture,
  prefix: string,
  architecture = architectureOf(fixture),
): Weights {
  const named: NamedTensor[] = [...fixture.tensors]
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, { shape }]) => ({
      name: name.slice(prefix.length),
      shape,
      data: floats(fixture, name),
    }))
  return fromTorch(named, architecture)
}

/** Inputs `X` as our networks read them: [N, C, H, W] -> [N, H, W, C]. */
export function inputsOf(fixture: Fixture, name = 'X'): Float32Array {
  const [n = 0, channels = 0, height = 0, width = 0] = fixture.tensors.get(name)?.shape ?? []
  const source = floats(fixture, name)
  const inputs = new Float32Array(sizeOf([n, channels, height, width]))
  const pixels = height * width
  for (let i = 0; i < inputs.length; i++) {
    const channel = i % channels
    const pixel = Math.floor(i / channels) % pixels
    const example = Math.floor(i / (channels * pixels))
    inputs[i] = source[(example * channels + channel) * pixels + pixel]!
  }
  return inputs
}

function toSpec(
  [kind, ...values]: FixtureJson['architecture'][number],
  nextName: () => string,
): LayerSpec {
  const numbers = values.map(Number)
  const [first = 0, second = 0, kernelSize = 0, strides = 0, padding = 0] = numbers
  switch (kind) {
    case 'linear':
      return { kind: 'dense', name: nextName(), units: second, bias: values[2] === true }
    case 'conv':
      return {
        kind: 'conv2d',
        name: nextName(),
        filters: second,
        kernelSize,
        strides,
        padding: padding === 0 ? 'valid' : 'same',
        bias: values[5] === true,
      }
    case 'bn':
      return { kind: 'batch-norm', name: nextName() }
    case 'relu':
      return { kind: 'relu' }
    case 'pool':
      return { kind: 'max-pool', size: first }
    case 'flatten':
      return { kind: 'flatten' }
    default:
      throw new TypeError(`Unknown layer ${kind}`)
  }
}

function read(file: string): Buffer {
  return readFileSync(new URL(`fixtures/${file}`, import.meta.url))
}

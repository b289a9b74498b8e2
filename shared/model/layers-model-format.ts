import { GraftError } from '../errors.ts'
import { sizeOf } from './weights.ts'

/** The file that names all others of a model in TensorFlow.js's own format. */
export const MODEL_JSON = 'model.json'

/** A weight as its manifest describes it; its bytes lie behind those of the weight before it. */
export interface ManifestWeight {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: string
  /** `optimizer` for what only training needs. */
  readonly group?: string
  /** How it is stored when not as it is used. */
  readonly quantization?: {
    readonly dtype: string
    readonly scale?: number
    readonly min?: number
  }
}

/** A `model.json`, understood. */
export interface ModelJson {
  /** Layers and how they are connected, as Keras 2 writes them. */
  readonly topology: Readonly<Record<string, unknown>>
  /** Files that hold the weights, one behind the other, as paths relative to the model's folder. */
  readonly paths: readonly string[]
  readonly weights: readonly ManifestWeight[]
}

const BYTES: Readonly<Record<string, number>> = {
  ...{ float32: 4, int32: 4, bool: 1 },
  ...{ float16: 2, uint16: 2, uint8: 1 },
}

/**
 * Reads a `model.json` of TensorFlow.js's format `layers-model`.
 * @throws GraftError GRAFT_MODEL_FILE_INVALID for anything else
 */
export function parseModelJson(bytes: Uint8Array): ModelJson {
  let parsed: unknown
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw invalid('It is not JSON.', error)
  }
  if (!isRecord(parsed)) throw invalid('It is not a JSON object.')
  const { format = 'layers-model', modelTopology, weightsManifest } = parsed
  if (format !== 'layers-model') throw invalid(`Its format is ${String(format)}, not layers-model.`)
  if (!isRecord(modelTopology)) throw invalid('It has no modelTopology.')
  if (!Array.isArray(weightsManifest)) throw invalid('It has no weightsManifest.')
  const groups = weightsManifest.map(parseGroup)
  return {
    topology: modelTopology,
    paths: groups.flatMap(({ paths }) => paths),
    weights: groups.flatMap(({ weights }) => weights),
  }
}

/** Bytes that all weights of a manifest take. */
export function bytesOfWeights(weights: readonly ManifestWeight[]): number {
  return weights.reduce(
    (sum, { shape, dtype, quantization }) =>
      sum + sizeOf(shape) * BYTES[quantization?.dtype ?? dtype]!,
    0,
  )
}

function parseGroup(group: unknown): Pick<ModelJson, 'paths' | 'weights'> {
  if (!isRecord(group) || !isStrings(group['paths']) || !Array.isArray(group['weights'])) {
    throw invalid('Its weightsManifest is not a list of groups with paths and weights.')
  }
  return { paths: group['paths'], weights: group['weights'].map(parseWeight) }
}

function parseWeight(weight: unknown): ManifestWeight {
  if (!isRecord(weight) || typeof weight['name'] !== 'string')
    throw invalid('A weight has no name.')
  const { name, shape, dtype, quantization } = weight
  if (!isSizes(shape)) throw invalid(`The shape of ${name} is not a list of sizes.`)
  const stored = isRecord(quantization) ? quantization['dtype'] : dtype
  for (const type of [dtype, stored]) {
    if (typeof type !== 'string' || !Object.hasOwn(BYTES, type)) {
      throw invalid(`${name} has no dtype of ${Object.keys(BYTES).join(', ')}.`)
    }
  }
  return weight as unknown as ManifestWeight
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function isSizes(value: unknown): value is number[] {
  return (
    Array.isArray(value) &&
    value.every((size: unknown) => Number.isSafeInteger(size) && Number(size) >= 0)
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(problem: string, cause?: unknown): GraftError {
  return new GraftError('GRAFT_MODEL_FILE_INVALID', problem, { cause })
}

import { channelsLast, type Fixture, type Widths, weightsUnder } from './fixture.ts'
import type { Weights } from '../../shared/model/weights.ts'

/** A tensor that a reference gave, beside ours. */
export interface Comparison {
  /** Its name in the fixture. */
  readonly tensor: string
  /** Largest difference, in the unit of the tolerance; infinite where shapes differ or a number is NaN. */
  readonly error: number
  readonly tolerance: number
}

/** `atol`: as they are; `rtol`: each to the number expected; `largest`: to the largest of the tensor. */
export interface Tolerance {
  readonly kind: 'exact' | 'atol' | 'rtol' | 'largest'
  readonly value: number
  /** Added to what `largest` allows. */
  readonly atol?: number
}

/**
 * Reads how a fixture says that a kind of tensor is to be compared: `rtol 1e-4`, `exact`, `exact copies: atol
 * 1e-6 (...)`, `1e-2 of the largest absolute weight of the layer`, `rtol 2e-3 of the layer maximum`.
 * @throws TypeError when it says something else
 */
export function toleranceOf({ json }: Fixture, kind: string): Tolerance {
  const text = String(json.tolerance[kind] ?? '')
  const found = /(atol|rtol)?\s*(\d[\d.]*e-?\d+)( of the (?:largest|layer))?/.exec(text)
  if (found === null) {
    if (text === 'exact') return { kind: 'exact', value: 0 }
    throw new TypeError(`${json.case} has no tolerance for ${kind}: "${text}"`)
  }
  const [, unit, number, ofLargest] = found
  const isLargest = ofLargest !== undefined || unit === undefined
  return { kind: isLargest ? 'largest' : (unit as 'atol' | 'rtol'), value: Number(number) }
}

export function compare(
  tensor: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { kind, value, atol = 0 }: Tolerance,
): Comparison {
  if (actual.length !== expected.length) return { tensor, error: Infinity, tolerance: value }
  const largest = Array.from(expected).reduce((most, of) => Math.max(most, Math.abs(of)), 0)
  const error = Array.from(expected).reduce((most, of, i) => {
    const difference = Math.abs(actual[i]! - of)
    const unit = kind === 'rtol' ? Math.abs(of) : 1
    const own = kind === 'exact' ? Number(difference !== 0) : difference / (unit === 0 ? 1 : unit)
    return Number.isNaN(own) ? Infinity : Math.max(most, own)
  }, 0)
  return kind === 'largest'
    ? { tensor, error, tolerance: value * largest + atol }
    : { tensor, error, tolerance: value }
}

/** Compares all weights of a network with the tensors under a prefix (`expected.upfront.fused.`). */
export function compareWeights(
  fixture: Fixture,
  prefix: string,
  { weights, widths }: { weights: Weights; widths: Widths },
  tolerance: Tolerance,
): Comparison[] {
  const expected = weightsUnder(fixture, prefix, widths)
  return expected.map(({ name, data }) => {
    const ours = weights.find((tensor) => tensor.name === name)
    return compare(torchName(prefix, name), ours?.data ?? [], data, tolerance)
  })
}

/** Compares with a float32 tensor of the fixture, channels last. */
export const compareFloats = (
  fixture: Fixture,
  tensor: string,
  actual: ArrayLike<number>,
  tolerance: Tolerance,
): Comparison => compare(tensor, actual, channelsLast(fixture, tensor), tolerance)

function torchName(prefix: string, name: string): string {
  const dot = name.lastIndexOf('.')
  const last = name.slice(dot + 1)
  const torch = { kernel: 'weight', gamma: 'weight', beta: 'bias', bias: 'bias' }[last]
  const moving = last === 'movingMean' ? 'running_mean' : 'running_var'
  return `${prefix}${name.slice(0, dot)}.${torch ?? moving}`
}

import type { Weights } from './weights.ts'

/**
 * `w - w_0`, as an update of differences has it.
 * @param base of the same sizes
 * @returns fresh weights
 */
export function subtractWeights(weights: Weights, base: Weights): Weights {
  return weights.map(({ name, shape, data }, index) => {
    const from = base[index]!.data
    return { name, shape, data: data.map((value, i) => value - from[i]!) }
  })
}

import type { Weights } from '../../shared/model/weights.ts'

/** How much of an update is let out. */
export interface PrivacySettings {
  /** C: the L2 norm that the whole update has at most. */
  readonly clip: number
  /** sigma: standard deviation of the noise, in units of C. */
  readonly noise: number
}

/**
 * `w_0 + u min(1, C / |u|) + N(0, (sigma C)^2)` with `u = w - w_0`, the noise drawn for each weight: the Gaussian mechanism on
 * the whole update of a client, moving statistics included. McMahan et al. 2018 (arXiv 1710.06963), Algorithm 1, with the noise
 * added by the client itself, as it trusts nobody.
 *
 * @param trained weights after training
 * @param start those before, of the same sizes
 * @param normal draws a standard normal number
 * @returns fresh weights
 */
export function privatise(
  trained: Weights,
  start: Weights,
  { clip, noise }: PrivacySettings,
  normal: () => number,
): Weights {
  const scale = Math.min(1, clip / distance(trained, start))
  // A standard deviation, not a variance.
  const deviation = noise * clip
  return trained.map(({ name, shape, data }, index) => {
    const before = start[index]!.data
    const released = Float32Array.from(data, (value, i) => {
      const change = value - before[i]!
      return before[i]! + scale * change + (deviation === 0 ? 0 : deviation * normal())
    })
    return { name, shape, data: released }
  })
}

function distance(a: Weights, b: Weights): number {
  let squares = 0
  for (const [index, { data }] of a.entries()) {
    const other = b[index]!.data
    for (let i = 0; i < data.length; i++) squares += (data[i]! - other[i]!) ** 2
  }
  // Of an update that is nothing all is kept.
  return Math.max(Math.sqrt(squares), Number.MIN_VALUE)
}

import type { Rng } from './rng.ts'

// Only sqrt, log and exp are used: sqrt is exact by IEEE 754, and V8 computes the other two in its own
// code (a port of fdlibm), so a seed draws the same numbers on every machine that runs Node.

/**
 * One draw of the standard normal distribution (mean 0, standard deviation 1), by Marsaglia's polar
 * method: Marsaglia and Bray 1964, "A convenient method for generating normal variables".
 */
export function normal(rng: Rng): number {
  for (;;) {
    const u = 2 * rng.next() - 1
    const v = 2 * rng.next() - 1
    const radius = u * u + v * v
    if (radius > 0 && radius < 1) return u * Math.sqrt((-2 * Math.log(radius)) / radius)
  }
}

/**
 * The logarithm of one draw of Gamma(shape, scale 1), which has mean and variance `shape`. The logarithm,
 * because for a shape of 0.01 half of the draws are below 1e-30 and many underflow to 0.
 *
 * Source: Marsaglia and Tsang 2000, "A simple method for generating gamma variables"; below shape 1 by
 * its closing remark: Gamma(a) = Gamma(a + 1) * U^(1/a).
 *
 * @throws RangeError unless `shape` is finite and > 0
 */
export function logGamma(shape: number, rng: Rng): number {
  if (!(shape > 0 && Number.isFinite(shape)))
    throw new RangeError(`a gamma distribution needs a finite shape > 0, not ${shape}`)
  if (shape < 1) return logGamma(shape + 1, rng) + Math.log(1 - rng.next()) / shape

  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = normal(rng)
    const root = 1 + c * x
    if (root <= 0) continue
    const v = root * root * root
    // 1 - next() lies in (0, 1], so the logarithm is finite.
    const logU = Math.log(1 - rng.next())
    if (logU < 0.5 * x * x + d * (1 - v + Math.log(v))) return Math.log(d) + Math.log(v)
  }
}

/**
 * One draw of the Dirichlet distribution: independent Gamma(alpha_i) draws over their sum.
 *
 * @param alphas concentration of each component, [component], each > 0
 * @returns shares, [component], each >= 0, summing to 1 up to rounding
 */
export function dirichlet(alphas: ArrayLike<number>, rng: Rng): Float64Array {
  const logs = Float64Array.from(alphas, (alpha) => logGamma(alpha, rng))
  const largest = logs.reduce((a, b) => Math.max(a, b), -Infinity)
  const shares = logs.map((log) => Math.exp(log - largest))
  const sum = shares.reduce((a, b) => a + b, 0)
  return shares.map((share) => share / sum)
}

/** A Gaussian mechanism that was used several times. */
export interface GaussianReleases {
  /** Standard deviation of the noise, in units of the L2 sensitivity. */
  readonly noise: number
  /** Probability with which each one is in a sample (Poisson); 1 without sampling. */
  readonly sampling: number
  readonly count: number
}

/**
 * The epsilon at which so many releases are (epsilon, delta) differentially private, by Renyi differential privacy: the RDP of
 * one release times their count, turned into (epsilon, delta) at the order that gives the least.
 *
 * Conversion: Canonne, Kamath and Steinke 2020 (arXiv 2004.00010), Proposition 12; `classic` is Mironov 2017
 * (arXiv 1702.07476), Proposition 3, which is never less.
 *
 * @returns Infinity without noise
 */
export function epsilonOf(
  releases: GaussianReleases,
  delta: number,
  conversion: 'tight' | 'classic' = 'tight',
): number {
  const { noise, sampling, count } = releases
  if (count === 0 || sampling === 0) return 0
  if (noise === 0) return Infinity
  let least = Infinity
  for (const order of ORDERS) {
    const renyi = count * renyiOf(order, releases)
    const classic = renyi + Math.log(1 / delta) / (order - 1)
    const tight = renyi + Math.log1p(-1 / order) - Math.log(delta * order) / (order - 1)
    least = Math.min(least, conversion === 'tight' ? tight : classic)
  }
  return Math.max(0, least)
}

/** The sum has a term for each whole number up to the order. */
const MOST_SAMPLED = 512

/** Finely where few orders lie between much and little; beyond, whole ones are within a percent. */
const ORDERS: readonly number[] = [
  ...Array.from({ length: 99 }, (_, i) => 1 + (i + 1) / 100),
  ...Array.from({ length: 80 }, (_, i) => 2 + i / 10),
  ...Array.from({ length: MOST_SAMPLED - 9 }, (_, i) => 10 + i),
  ...[1024, 4096, 16_384, 65_536],
]

/**
 * Renyi divergence of one release. Without sampling `order / (2 noise^2)`, Mironov 2017, Corollary 3. With Poisson sampling,
 * for whole orders, `log(sum_k C(a, k) (1 - q)^(a - k) q^k exp((k^2 - k) / (2 noise^2))) / (a - 1)`: Mironov, Talwar and Zhang
 * 2019 (arXiv 1908.10530), equation 8 and Theorem 4; for others what it is without sampling, which is never less.
 */
function renyiOf(order: number, { noise, sampling }: GaussianReleases): number {
  const hasSum = sampling < 1 && Number.isInteger(order) && order <= MOST_SAMPLED
  if (!hasSum) return order / (2 * noise ** 2)
  let logSum = -Infinity
  let logBinomial = 0
  for (let k = 0; k <= order; k++) {
    if (k > 0) logBinomial += Math.log((order - k + 1) / k)
    const term =
      logBinomial +
      k * Math.log(sampling) +
      (order - k) * Math.log1p(-sampling) +
      (k * k - k) / (2 * noise ** 2)
    logSum = logAdd(logSum, term)
  }
  return logSum / (order - 1)
}

function logAdd(a: number, b: number): number {
  const [small, large] = a < b ? [a, b] : [b, a]
  return small === -Infinity ? large : large + Math.log1p(Math.exp(small - large))
}

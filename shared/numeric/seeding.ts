import { meansAt, squaredDistance, type WeightedPoints } from './cluster-means.ts'
import type { Rng } from './rng.ts'

/**
 * k-means++: each centre is a point drawn with probability s_i |x_i - nearest centre|^2. Arthur and
 * Vassilvitskii 2007, "k-means++: the advantages of careful seeding".
 *
 * @returns distinct points, [clusters]
 */
export function plusPlusStart(points: WeightedPoints, clusters: number, rng: Rng): Int32Array {
  return spread(points, clusters, (squared, taken) => {
    const chances = squared.map((distance, i) =>
      taken[i] === 1 ? 0 : distance * points.weights[i]!,
    )
    let left = rng.next() * chances.reduce((a, b) => a + b, 0)
    let last = taken.indexOf(0)
    for (let i = 0; i < chances.length; i++)
      if (chances[i]! > 0) {
        last = i
        left -= chances[i]!
        if (left < 0) break
      }
    return last
  })
}

/**
 * Farthest-point centres: the first one drawn, each further one farthest from those before. Gonzalez 1985,
 * "Clustering to minimize the maximum intercluster distance".
 *
 * @returns distinct points, [clusters]
 */
export function farthestStart(points: WeightedPoints, clusters: number, rng: Rng): Int32Array {
  const first = Math.floor(rng.next() * points.weights.length)
  let isFirst = true
  return spread(points, clusters, (squared, taken) => {
    if (isFirst) {
      isFirst = false
      return first
    }
    let farthest = taken.indexOf(0)
    for (let i = 0; i < squared.length; i++)
      if (taken[i] === 0 && squared[i]! > squared[farthest]!) farthest = i
    return farthest
  })
}

/** Chooses points one by one, given the squared distance of all to the nearest chosen, at first 1. */
function spread(
  points: WeightedPoints,
  clusters: number,
  choose: (squared: Float64Array, taken: Uint8Array) => number,
): Int32Array {
  const count = points.weights.length
  const squared = new Float64Array(count).fill(1)
  const taken = new Uint8Array(count)
  return Int32Array.from({ length: clusters }, (_, c) => {
    const chosen = choose(squared, taken)
    taken[chosen] = 1
    const centre = meansAt(points, [chosen])
    for (let i = 0; i < count; i++) {
      const distance = squaredDistance(points, centre, i, 0)
      squared[i] = c === 0 ? distance : Math.min(squared[i]!, distance)
    }
    return chosen
  })
}

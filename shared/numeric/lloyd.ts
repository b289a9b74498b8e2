import {
  meansAt,
  meansOf,
  membersOf,
  nearestMeans,
  positiveWeights,
  refill,
} from './cluster-means.ts'

/** What {@link lloyd} clusters. */
export interface LloydProblem {
  /** Inner products of the points, [count, count]. */
  readonly gram: Float64Array
  /** s_i >= 0, [count]. */
  readonly weights: ArrayLike<number>
  /** The points that are the first centroids, [clusters]. */
  readonly initial: ArrayLike<number>
}

/** Rounds that the cost may pass without getting lower. */
const PATIENCE = 3

/**
 * Lloyd's algorithm as the reference of KF gradient runs it (A. Spanos, neuron-interpolation-model-fusion,
 * `_k_means_v2`), so that its targets can be compared: weighted means, unsquared distances, and an end
 * when the assignment repeats or sum_i s_i |x_i - nearest centroid| is no less than three rounds ago.
 *
 * A cluster that is empty at first has no centroid: those after it move down one index, and the last index
 * is what is refilled, by the point farthest from its centroid whatever its weight.
 *
 * @returns cluster of each point, [count]
 * @throws RangeError for a negative weight
 */
export function lloyd({ gram, weights, initial }: LloydProblem): Int32Array {
  const points = { gram, weights: positiveWeights(weights) }
  const clusters = initial.length
  const costs: number[] = []
  let { assignment } = nearestMeans(points, meansAt(points, initial))
  for (;;) {
    const groups = membersOf(assignment, clusters).filter((group) => group.length > 0)
    const nearest = nearestMeans(points, meansOf(points, groups))
    const distances = nearest.squared.map(Math.sqrt)
    refill(nearest.assignment, clusters, distances)
    let cost = 0
    // A point that refills a cluster is its centroid next.
    distances.forEach((distance, i) => (cost += Math.max(0, distance) * weights[i]!))
    const repeats = assignment.every((c, i) => c === nearest.assignment[i])
    assignment = nearest.assignment
    if (repeats || cost >= (costs.at(-PATIENCE) ?? Infinity)) return assignment
    costs.push(cost)
  }
}

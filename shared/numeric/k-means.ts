import type * as tf from '@tensorflow/tfjs'
import { meansAt, nearestMeans, positiveWeights } from './cluster-means.ts'
import { gram } from './gram.ts'
import {
  improveByMoves,
  partitionBy,
  settle,
  totalCost,
  type Partition,
  type ResidualPoints,
} from './partition-search.ts'
import type { Rng } from './rng.ts'
import { farthestStart, plusPlusStart } from './seeding.ts'

export interface KMeansOptions {
  /** s_i >= 0, [count]. */
  readonly weights: ArrayLike<number>
  /** r_i^2 >= 0, [count], added to all squared distances of point i; by default 0. */
  readonly offsets?: ArrayLike<number>
  readonly clusters: number
  readonly rng: Rng
  /** Points that are the centres of a start of its own, [clusters] each. */
  readonly starts?: readonly ArrayLike<number>[]
  /** Starts besides those given: one by farthest points, all others by k-means++. By default 8. */
  readonly restarts?: number
}

export interface Clustering {
  /** Cluster of each point, [count]; none is empty. */
  readonly assignment: Int32Array
  /** sum_i s_i sqrt(r_i^2 + |x_i - nearest centroid|^2). */
  readonly objective: number
}

/**
 * Groups points such that sum_i s_i sqrt(r_i^2 + |x_i - nearest centroid|^2) is small, where centroids are
 * the weighted means sum(s x) / sum(s) of their groups: KF's grouping of neurons.
 *
 * The reference takes the best of ten farthest-point starts of Lloyd's algorithm. Here k-means++ starts
 * come besides, no step that raises the objective is taken (means minimise squares, which it has not), and
 * single points move while that lowers it. Deterministic for a seed and engine.
 *
 * @param points [count, dim]; borrowed
 * @throws RangeError for weights or offsets that are negative or too few, or more clusters than points
 */
export async function kMeans(points: tf.Tensor2D, options: KMeansOptions): Promise<Clustering> {
  return kMeansOfGram(await gram(points, 'rows'), options)
}

/**
 * {@link kMeans} of points known by their inner products, all it needs.
 *
 * @param gram <x_i, x_j>, [count, count]
 */
export function kMeansOfGram(gram: Float64Array, options: KMeansOptions): Clustering {
  const points = checkPoints(gram, options)
  const settled = startsOf(points, options)
    .map((start) => settledFrom(points, start))
    .sort((a, b) => totalCost(a) - totalCost(b))
  const finalists = Math.max(
    FINALISTS,
    Math.round(FINALIST_PAIRS / (gram.length / points.weights.length) / options.clusters),
  )
  const candidates = settled.slice(0, finalists)
  for (const partition of candidates) improve(points, partition)
  const best = candidates.reduce((a, b) => (totalCost(b) < totalCost(a) ? b : a))
  return { assignment: best.assignment, objective: objectiveOf(points, best, options.weights) }
}

/**
 * Starts whose results are improved by moves. In large problems the others are too far behind to win: with 8 parents
 * of 256 neurons, six found no more than the first (`npm run bench:reference`, its networks, both priors).
 */
const FINALISTS = 1
/** As many more as keep the work within that of so many pairs of a point and a cluster. */
const FINALIST_PAIRS = 2 ** 15

function checkPoints(gram: Float64Array, options: KMeansOptions): ResidualPoints {
  const { weights, clusters } = options
  const count = weights.length
  const offsets = Float64Array.from(options.offsets ?? new Float64Array(count))
  if (gram.length !== count ** 2 || offsets.length !== count)
    throw new RangeError(
      `${count} weights, ${offsets.length} offsets and ${gram.length} inner products do not belong together`,
    )
  if (!(Number.isInteger(clusters) && clusters >= 1 && clusters <= count))
    throw new RangeError(`${count} points do not make ${clusters} clusters`)
  if (!offsets.every((offset) => offset >= 0 && offset < Infinity))
    throw new RangeError('Offsets must be finite numbers >= 0')
  const norms = Float64Array.from({ length: count }, (_, i) => gram[i * count + i]!)
  return { gram, weights: positiveWeights(weights), offsets, norms }
}

function startsOf(points: ResidualPoints, options: KMeansOptions): ArrayLike<number>[] {
  const { clusters, rng, starts = [], restarts = 8 } = options
  for (const start of starts)
    if (start.length !== clusters)
      throw new RangeError(`A start of ${start.length} centres does not make ${clusters} clusters`)
  const own = Array.from({ length: Math.max(restarts, starts.length === 0 ? 1 : 0) }, (_, k) =>
    (k % 2 === 0 ? farthestStart : plusPlusStart)(points, clusters, rng.split(`start ${k}`)),
  )
  return [...starts, ...own]
}

/** Rounds of moves and Lloyd's steps; the second seldom finds anything. */
const MOST_ROUNDS = 4

/** The partition that Lloyd's steps reach from points as centres. */
function settledFrom(points: ResidualPoints, start: ArrayLike<number>): Partition {
  const partition = partitionBy(points, meansAt(points, start))
  settle(points, partition)
  return partition
}

/** Moves and Lloyd's steps in turn, in place, until neither lowers the cost. */
function improve(points: ResidualPoints, partition: Partition): void {
  for (let round = 0; round < MOST_ROUNDS && improveByMoves(points, partition); round++) {
    if (!settle(points, partition)) return
  }
}

function objectiveOf(
  points: ResidualPoints,
  { means }: Partition,
  weights: ArrayLike<number>,
): number {
  const { squared } = nearestMeans(points, means)
  return squared.reduce((sum, d, i) => sum + weights[i]! * Math.sqrt(points.offsets[i]! + d), 0)
}

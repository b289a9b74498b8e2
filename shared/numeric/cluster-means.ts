/**
 * Points known by their inner products only. Means of points are combinations of them, so distances to
 * means need nothing else, and cost the same for points of 10 numbers or of 300,000.
 */
export interface WeightedPoints {
  /** <x_i, x_j>, [count, count]. */
  readonly gram: Float64Array
  /** s_i > 0, [count]. */
  readonly weights: Float64Array
}

/** Some points of the space, as means are. */
export interface Means {
  /** <m_c, x_i>, [means, count]. */
  readonly products: Float64Array
  /** |m_c|^2, [means]. */
  readonly squares: Float64Array
}

/**
 * Weights that can be divided by, the largest one 1: zeros become 1e-12, which moves no mean but those of
 * points without any weight, and these become plain.
 *
 * @param weights [count]
 * @throws RangeError for a weight that is negative or not finite
 */
export function positiveWeights(weights: ArrayLike<number>): Float64Array {
  let largest = 0
  for (let i = 0; i < weights.length; i++) {
    if (!(weights[i]! >= 0 && weights[i]! < Infinity))
      throw new RangeError(`Weight ${i} is ${weights[i]}; it must be a finite number >= 0`)
    largest = Math.max(largest, weights[i]!)
  }
  if (largest === 0) return new Float64Array(weights.length).fill(1)
  return Float64Array.from(weights, (weight) => Math.max(weight / largest, 1e-12))
}

/**
 * The matrix that turns points into the means of their clusters, x [any, count] M = means [any, clusters]:
 * s_i / sum of s in the cluster of i, else 0.
 *
 * @param assignment cluster of each point, [count]
 * @returns M, [count, clusters]
 */
export function meanMatrix(
  assignment: Int32Array,
  weights: ArrayLike<number>,
  clusters: number,
): Float32Array {
  const positive = positiveWeights(weights)
  const sums = new Float64Array(clusters)
  assignment.forEach((c, i) => (sums[c] = sums[c]! + positive[i]!))
  const matrix = new Float32Array(assignment.length * clusters)
  assignment.forEach((c, i) => (matrix[i * clusters + c] = positive[i]! / sums[c]!))
  return matrix
}

/** Means that coincide with points. */
export function meansAt({ gram, weights }: WeightedPoints, indices: ArrayLike<number>): Means {
  const count = weights.length
  const products = new Float64Array(indices.length * count)
  const squares = new Float64Array(indices.length)
  for (let c = 0; c < indices.length; c++) {
    const i = indices[c]!
    products.set(gram.subarray(i * count, (i + 1) * count), c * count)
    squares[c] = gram[i * count + i]!
  }
  return { products, squares }
}

/** The points of each cluster, in order. */
export function membersOf(assignment: Int32Array, clusters: number): number[][] {
  const members: number[][] = Array.from({ length: clusters }, () => [])
  assignment.forEach((c, i) => members[c]!.push(i))
  return members
}

/** The weighted mean of each group of points; none may be empty. */
export function meansOf(points: WeightedPoints, groups: readonly (readonly number[])[]): Means {
  const means = {
    products: new Float64Array(groups.length * points.weights.length),
    squares: new Float64Array(groups.length),
  }
  groups.forEach((group, c) => {
    setMean(points, means, c, group)
  })
  return means
}

/** Makes mean c that of `group`. */
export function setMean(
  { gram, weights }: WeightedPoints,
  { products, squares }: Means,
  c: number,
  group: readonly number[],
): void {
  const count = weights.length
  let total = 0
  for (const i of group) total += weights[i]!
  const base = c * count
  products.fill(0, base, base + count)
  // Four rows at a time, so that the sums go through memory a quarter as often.
  let k = 0
  for (; k + 3 < group.length; k += 4) {
    const [j0, j1, j2, j3] = [group[k]!, group[k + 1]!, group[k + 2]!, group[k + 3]!]
    const [s0, s1] = [weights[j0]! / total, weights[j1]! / total]
    const [s2, s3] = [weights[j2]! / total, weights[j3]! / total]
    const [r0, r1, r2, r3] = [j0 * count, j1 * count, j2 * count, j3 * count]
    for (let i = 0; i < count; i++) {
      products[base + i]! +=
        s0 * gram[r0 + i]! + s1 * gram[r1 + i]! + s2 * gram[r2 + i]! + s3 * gram[r3 + i]!
    }
  }
  for (; k < group.length; k++) {
    const row = group[k]! * count
    const share = weights[group[k]!]! / total
    for (let i = 0; i < count; i++) products[base + i]! += share * gram[row + i]!
  }
  let square = 0
  for (const j of group) square += (weights[j]! / total) * products[base + j]!
  squares[c] = square
}

/** |x_i - m_c|^2, no less than 0. */
export function squaredDistance(
  { gram, weights }: WeightedPoints,
  { products, squares }: Means,
  i: number,
  c: number,
): number {
  const count = weights.length
  return Math.max(0, gram[i * count + i]! - 2 * products[c * count + i]! + squares[c]!)
}

/** Of |x_i|^2, a difference of squared distances that counts as a tie: rounding of inner products. */
const TIE = 1e-12

/**
 * The nearest mean of each point, the first one on ties, and how far it is.
 *
 * @returns `assignment` and `squared` distance, [count] each
 */
export function nearestMeans(
  { gram, weights }: WeightedPoints,
  { products, squares }: Means,
): { assignment: Int32Array; squared: Float64Array } {
  const count = weights.length
  const assignment = new Int32Array(count)
  const norms = Float64Array.from({ length: count }, (_, i) => gram[i * count + i]!)
  const ties = norms.map((norm) => TIE * norm)
  // Squared distances less the point's own square, and what another mean must be below.
  const least = new Float64Array(count)
  const bars = new Float64Array(count).fill(Infinity)
  for (let c = 0; c < squares.length; c++) {
    const square = squares[c]!
    for (let i = 0, at = c * count; i < count; i++, at++) {
      const distance = square - 2 * products[at]!
      if (distance < bars[i]!) {
        least[i] = distance
        bars[i] = distance - ties[i]!
        assignment[i] = c
      }
    }
  }
  return { assignment, squared: least.map((value, i) => Math.max(0, norms[i]! + value)) }
}

/**
 * Gives each empty cluster the point with the largest `priority` whose cluster has others, each point at
 * most once, and sets that priority to -Infinity; clusters that no such point is left for stay empty.
 */
export function refill(assignment: Int32Array, clusters: number, priority: Float64Array): void {
  const sizes = new Int32Array(clusters)
  for (const c of assignment) sizes[c] = sizes[c]! + 1
  for (let empty = 0; empty < clusters; empty++) {
    if (sizes[empty] !== 0) continue
    let chosen = -1
    for (let i = 0; i < assignment.length; i++)
      if (sizes[assignment[i]!]! > 1 && priority[i]! > (chosen < 0 ? -Infinity : priority[chosen]!))
        chosen = i
    if (chosen < 0) return
    sizes[assignment[chosen]!] = sizes[assignment[chosen]!]! - 1
    sizes[empty] = 1
    assignment[chosen] = empty
    priority[chosen] = -Infinity
  }
}

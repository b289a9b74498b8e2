import {
  meansOf,
  membersOf,
  nearestMeans,
  refill,
  setMean,
  squaredDistance,
  type Means,
  type WeightedPoints,
} from './cluster-means.ts'

/** Points with a residual each: r_i^2, [count], is added to all squared distances of point i. */
export interface ResidualPoints extends WeightedPoints {
  readonly offsets: Float64Array
  /** |x_i|^2, the diagonal of `gram`, which lies close together here. */
  readonly norms: Float64Array
}

/** A partition of points, the means of its clusters, and sum_i s_i sqrt(r_i^2 + |x_i - own mean|^2). */
export interface Partition {
  readonly assignment: Int32Array
  readonly members: number[][]
  readonly means: Means
  readonly costs: Float64Array
}

/** A gain below this share of the cost is rounding. */
const GAIN = 1e-11

/** The partition of points by their nearest mean, without empty clusters. */
export function partitionBy(points: ResidualPoints, means: Means): Partition {
  const clusters = means.squares.length
  return partitionOf(points, assignNearest(points, means), clusters)
}

export function partitionOf(
  points: ResidualPoints,
  assignment: Int32Array,
  clusters: number,
): Partition {
  const members = membersOf(assignment, clusters)
  const means = meansOf(points, members)
  const partition = { assignment, members, means, costs: new Float64Array(clusters) }
  for (let c = 0; c < clusters; c++) partition.costs[c] = costOf(points, partition, c)
  return partition
}

export function totalCost({ costs }: Partition): number {
  return costs.reduce((a, b) => a + b, 0)
}

/**
 * Lloyd's steps, in place, for as long as they lower the cost; they may not, as means serve squares.
 *
 * @returns whether anything moved
 */
export function settle(points: ResidualPoints, partition: Partition): boolean {
  let moved = false
  while (reassign(points, partition, assignNearest(points, partition.means))) moved = true
  return moved
}

function assignNearest(points: ResidualPoints, means: Means): Int32Array {
  const { assignment, squared } = nearestMeans(points, means)
  const priority = squared.map((d, i) => points.weights[i]! * Math.sqrt(points.offsets[i]! + d))
  refill(assignment, means.squares.length, priority)
  return assignment
}

/**
 * Takes another assignment, in place, if that lowers the cost. Only clusters that change are worked out
 * anew, and kept for the way back: copies of all means would take as long as the steps themselves.
 *
 * @returns whether it did
 */
function reassign(points: ResidualPoints, partition: Partition, assignment: Int32Array): boolean {
  const { members, means, costs } = partition
  const count = assignment.length
  const changed = changedClusters(partition, assignment)
  if (changed.length === 0) return false
  const before = totalCost(partition)
  const saved = changed.map((c) => ({
    c,
    own: members[c]!,
    product: means.products.slice(c * count, (c + 1) * count),
    square: means.squares[c]!,
    cost: costs[c]!,
  }))
  const next = membersOf(assignment, costs.length)
  for (const c of changed) {
    members[c] = next[c]!
    update(points, partition, c)
  }
  if (totalCost(partition) < before * (1 - GAIN)) {
    partition.assignment.set(assignment)
    return true
  }
  for (const { c, own, product, square, cost } of saved) {
    members[c] = own
    means.products.set(product, c * count)
    means.squares[c] = square
    costs[c] = cost
  }
  return false
}

/** Clusters that a point leaves or joins. */
function changedClusters({ assignment, costs }: Partition, next: Int32Array): number[] {
  const isChanged = new Uint8Array(costs.length)
  for (let i = 0; i < next.length; i++) {
    if (next[i] !== assignment[i]) isChanged[next[i]!] = isChanged[assignment[i]!] = 1
  }
  return [...costs.keys()].filter((c) => isChanged[c] === 1)
}

function update(points: ResidualPoints, partition: Partition, c: number): void {
  setMean(points, partition.means, c, partition.members[c]!)
  partition.costs[c] = costOf(points, partition, c)
}

function costOf(points: ResidualPoints, { means, members }: Partition, c: number): number {
  let cost = 0
  for (const i of members[c]!)
    cost +=
      points.weights[i]! * Math.sqrt(points.offsets[i]! + squaredDistance(points, means, i, c))
  return cost
}

/** Distances to compute per point, at most: the long tail of moves gains next to nothing. */
const MOST_WORK = 2500

/** Clusters that a point is tried in: where a move pays, it is to one of the nearest. */
const CANDIDATES = 4

/**
 * Moves single points between clusters, in place, while that lowers the cost.
 *
 * @returns whether anything moved
 */
export function improveByMoves(points: ResidualPoints, partition: Partition): boolean {
  const { assignment, members, costs } = partition
  const count = assignment.length
  const least = totalCost(partition) * GAIN
  let moved = false
  let work = MOST_WORK * count
  let since = 0
  for (let i = 0; work > 0 && since < count; i = (i + 1) % count, since++) {
    const from = assignment[i]!
    if (members[from]!.length < 2) continue
    const leaving = costAfter(points, partition, { i, c: from, sign: -1 }) - costs[from]!
    work -= members[from]!.length
    let best = -1
    let gain = least
    for (const to of nearestClusters(partition, i)) {
      work -= members[to]!.length
      const lower = -(leaving + costAfter(points, partition, { i, c: to, sign: 1 }) - costs[to]!)
      if (lower > gain) {
        gain = lower
        best = to
      }
    }
    if (best < 0) continue
    move(points, partition, i, best)
    moved = true
    since = 0
  }
  return moved
}

function move(points: ResidualPoints, partition: Partition, i: number, to: number): void {
  const { assignment, members } = partition
  const from = assignment[i]!
  shiftMean(points, partition, { i, c: from, sign: -1 })
  shiftMean(points, partition, { i, c: to, sign: 1 })
  members[from] = members[from]!.filter((j) => j !== i)
  members[to] = [...members[to]!, i]
  assignment[i] = to
  partition.costs[from] = costOf(points, partition, from)
  partition.costs[to] = costOf(points, partition, to)
}

/** The nearest clusters but the point's own. */
function nearestClusters({ assignment, means }: Partition, i: number): number[] {
  const { length } = assignment
  const found: { c: number; distance: number }[] = []
  for (let c = 0; c < means.squares.length; c++) {
    if (c === assignment[i]) continue
    const distance = means.squares[c]! - 2 * means.products[c * length + i]!
    if (found.length === CANDIDATES && distance >= found[CANDIDATES - 1]!.distance) continue
    if (found.length === CANDIDATES) found.pop()
    let at = found.length
    while (at > 0 && found[at - 1]!.distance > distance) at--
    found.splice(at, 0, { c, distance })
  }
  return found.map(({ c }) => c)
}

/** Point i joins cluster c (sign 1) or leaves it (-1). */
interface Shift {
  readonly i: number
  readonly c: number
  readonly sign: 1 | -1
}

/** The mean afterwards, m' = keep m + share x_i, and its square. */
function shiftOf(
  { gram, weights }: ResidualPoints,
  { members, means }: Partition,
  { i, c, sign }: Shift,
) {
  const count = weights.length
  let before = 0
  for (const j of members[c]!) before += weights[j]!
  const after = before + sign * weights[i]!
  const [keep, share] = [before / after, (sign * weights[i]!) / after]
  const square =
    keep * keep * means.squares[c]! +
    2 * keep * share * means.products[c * count + i]! +
    share * share * gram[i * count + i]!
  // What is left of a sum when nearly all of it goes is noise.
  return { keep, share, square, isExact: after > 1e-4 * before }
}

/** The cost of cluster c afterwards; Infinity where that cannot be told. */
function costAfter(points: ResidualPoints, partition: Partition, shift: Shift): number {
  const { gram, weights, offsets, norms } = points
  const { products } = partition.means
  const { keep, share, square, isExact } = shiftOf(points, partition, shift)
  if (!isExact) return Infinity
  const count = weights.length
  const [own, mean] = [shift.i * count, shift.c * count]
  const costAt = (j: number) => {
    const product = keep * products[mean + j]! + share * gram[own + j]!
    const squared = Math.max(0, norms[j]! - 2 * product + square)
    return weights[j]! * Math.sqrt(offsets[j]! + squared)
  }
  let cost = shift.sign === 1 ? costAt(shift.i) : 0
  for (const j of partition.members[shift.c]!) if (j !== shift.i) cost += costAt(j)
  return cost
}

function shiftMean(points: ResidualPoints, partition: Partition, shift: Shift): void {
  const { keep, share, square } = shiftOf(points, partition, shift)
  const { products, squares } = partition.means
  const count = points.weights.length
  for (let j = 0, at = shift.c * count, own = shift.i * count; j < count; j++, at++, own++)
    products[at] = keep * products[at]! + share * points.gram[own]!
  squares[shift.c] = square
}

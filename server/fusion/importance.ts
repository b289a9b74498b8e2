import type { NeuronGraph, NeuronGroup } from '../../shared/model/neuron-graph.ts'
import { type AxisPositions, groupsIn, type Role } from '../../shared/model/neurons.ts'
import type { NamedTensor } from '../../shared/model/weights.ts'
import { areClasses, type GridAxis, keptPositions, type WeightGrid } from './weight-grid.ts'

/** p of the norm without its root: l2 sums squares, l1 sums magnitudes. */
export type Norm = 'l2' | 'l1'

/** A network that has lost some of its neurons, without having been built. */
export interface PrunedNetwork {
  /** By name; borrowed. */
  readonly weights: ReadonlyMap<string, NamedTensor>
  /** How `weights` lie. */
  readonly grids: readonly WeightGrid[]
  /** [group][neuron of `weights`]: 1 where it is still there. */
  readonly isKept: readonly Uint8Array[]
  /** What the logit of each class is multiplied by, [class]. */
  readonly headScale: Float64Array
}

const COUNTED_ROLES: ReadonlySet<Role | null> = new Set<Role>([
  'kernel',
  'embedding',
  'gamma',
  'reader',
])

/**
 * Magnitude of each neuron of some groups: over the weights that make or read it, the mean of the sums of
 * `|w|^p`, p = 2 or 1, of what is left of the network. Counted are kernels, gamma of a normalisation behind
 * it, and every reader; biases, beta and moving statistics are not. This is Torch-Pruning's group
 * magnitude, which NT prunes by (arXiv 2502.06849). A flattened channel counts all rows that read it.
 *
 * @param groups those asked for
 * @returns [group][neuron], in float64; of groups not asked for, and of neurons not kept, zeros
 */
export function magnitudes(
  graph: NeuronGraph,
  network: PrunedNetwork,
  groups: readonly NeuronGroup[],
  norm: Norm,
): Float64Array[] {
  const sums = network.isKept.map(({ length }) => new Float64Array(length))
  const members = network.isKept.map(() => 0)
  const asked = new Set(groups.map(({ index }) => index))
  const groupsOf = ({ role, layout }: GridAxis) =>
    COUNTED_ROLES.has(role) ? groupsIn(layout).filter((group) => asked.has(group)) : []
  for (const grid of network.grids) {
    if (groupsOf(grid.row).length + groupsOf(grid.column).length === 0) continue
    const { rows, columns } = sumPowers(graph, network, grid, norm)
    for (const { axis, kept, values } of [rows, columns]) {
      for (const group of groupsOf(axis)) members[group]!++
      if (groupsOf(axis).length === 0) continue
      const { group, neuron } = axis.positions
      kept.forEach((position, i) => {
        const of = group[position]!
        if (asked.has(of)) sums[of]![neuron[position]!]! += values[i]!
      })
    }
  }
  return sums.map((ofGroup, group) => ofGroup.map((sum) => sum / Math.max(1, members[group]!)))
}

/** Sums of |w|^p over what is left of a weight, for each kept row and each kept column. */
function sumPowers(
  graph: NeuronGraph,
  { weights, isKept, headScale }: PrunedNetwork,
  { name, row, column, offsets }: WeightGrid,
  norm: Norm,
) {
  const { data } = weights.get(name)!
  const rows = keptPositions(row.positions, isKept)
  const columns = keptPositions(column.positions, isKept)
  const rowSums = new Float64Array(rows.length)
  const line: Line = {
    data,
    at: columns.map((position) => position * column.stride),
    isSquared: norm === 'l2',
    sums: new Float64Array(columns.length),
    scales: scalesOf(graph, column.positions, { columns, headScale }),
  }
  const isRun = line.at.every((at, j) => at === j)
  const addRow = isRun && line.isSquared && line.scales === null ? addSquares : addPowers
  for (const offset of offsets) {
    for (let i = 0; i < rows.length; i++)
      rowSums[i]! += addRow(line, offset + rows[i]! * row.stride)
  }
  return {
    rows: { axis: row, kept: rows, values: rowSums },
    columns: { axis: column, kept: columns, values: line.sums },
  }
}

/** The kept columns of a weight. */
interface Line {
  readonly data: Float32Array
  /** Of each column, counted from the beginning of its row. */
  readonly at: Int32Array
  readonly isSquared: boolean
  /** Of each column; grows. */
  readonly sums: Float64Array
  /** What each column is multiplied by; null where by nothing. */
  readonly scales: Float64Array | null
}

/** {@link addPowers} for the squares of all columns, one behind the other: twice as fast. */
function addSquares({ data, sums }: Line, start: number): number {
  let [even, odd] = [0, 0]
  let j = 0
  for (; j + 1 < sums.length; j += 2) {
    const value = data[start + j]!
    const next = data[start + j + 1]!
    const square = value * value
    const nextSquare = next * next
    even += square
    odd += nextSquare
    sums[j]! += square
    sums[j + 1]! += nextSquare
  }
  if (j < sums.length) {
    const square = data[start + j]! ** 2
    even += square
    sums[j]! += square
  }
  return even + odd
}

/** Adds |w|^p of one row to the columns' sums. A function of its own: it is compiled after a few rows. */
function addPowers({ data, at, isSquared, sums, scales }: Line, start: number): number {
  let sum = 0
  for (let j = 0; j < at.length; j++) {
    const value = scales === null ? data[start + at[j]!]! : data[start + at[j]!]! * scales[j]!
    const power = isSquared ? value * value : Math.abs(value)
    sum += power
    sums[j]! += power
  }
  return sum
}

/** Factors of the classes, where the columns are the classes. */
function scalesOf(
  graph: NeuronGraph,
  positions: AxisPositions,
  { columns, headScale }: { columns: Int32Array; headScale: Float64Array },
): Float64Array | null {
  const isClass = areClasses(graph, positions, columns)
  if (!isClass.includes(true)) return null
  return Float64Array.from(columns, (at, j) =>
    isClass[j]! ? headScale[positions.neuron[at]!]! : 1,
  )
}

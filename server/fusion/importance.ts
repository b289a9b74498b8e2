import { headGroup, type NeuronGraph, type NeuronGroup } from '../../shared/model/neuron-graph.ts'
import { type AxisPositions, groupsIn, type Role } from '../../shared/model/neurons.ts'
import type { NamedTensor } from '../../shared/model/weights.ts'
import { addColumnSquares, addPowers, type Power } from '../../shared/numeric/power-sums.ts'
import { elementsOf, type GridAxis, keptPositions, type WeightGrid } from './weight-grid.ts'

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
  /** Sums of the neurons that read nothing but the input, by weight: no pruning changes them. Filled here. */
  readonly inputSums: Map<string, Float64Array>
}

const POWERS = { l2: 'squares', l1: 'magnitudes' } as const satisfies Record<Norm, Power>

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
    const readsInput = groupsIn(grid.row.layout).length === 0
    const { rows, columns } = (readsInput ? sumInputPowers : sumPowers)(graph, network, grid, norm)
    for (const line of [rows, columns]) {
      for (const group of groupsOf(line.axis)) {
        members[group]!++
        addOwn(sums[group]!, group, line)
      }
    }
  }
  for (const [group, ofGroup] of sums.entries()) {
    divide(ofGroup, Math.max(1, members[group]!))
  }
  return sums
}

/** Adds the values of those kept positions that are one group's, `index`. */
function addOwn(sums: Float64Array, index: number, { axis, kept, values }: AxisSums): void {
  const { group, neuron } = axis.positions
  for (let i = 0; i < kept.length; i++) {
    if (group[kept[i]!] === index) sums[neuron[kept[i]!]!]! += values[i]!
  }
}

function divide(values: Float64Array, by: number): void {
  for (let i = 0; i < values.length; i++) values[i]! /= by
}

/** {@link sumPowers} for a weight whose rows are not neurons, summed once in the life of a network. */
function sumInputPowers(
  graph: NeuronGraph,
  network: PrunedNetwork,
  grid: WeightGrid,
  norm: Norm,
): PowerSums {
  const { name, row, column } = grid
  const sums = network.inputSums.get(name) ?? sumWholeInput(graph, network, grid, norm)
  network.inputSums.set(name, sums)
  const kept = keptPositions(column, network.isKept)
  const values = new Float64Array(kept.length)
  for (let i = 0; i < kept.length; i++) values[i] = sums[kept[i]!]!
  return {
    rows: { axis: row, kept: new Int32Array(0), values: new Float64Array(0) },
    columns: { axis: column, kept, values },
  }
}

function sumWholeInput(
  graph: NeuronGraph,
  network: PrunedNetwork,
  grid: WeightGrid,
  norm: Norm,
): Float64Array {
  const { length } = grid.column.positions.group
  const isPlain = grid.column.stride === 1 && !makesClasses(graph, grid.column)
  if (norm === 'l2' && isPlain) {
    const sums = new Float64Array(length)
    addColumnSquares(sums, network.weights.get(grid.name)!.data)
    return sums
  }
  const isKept = network.isKept.map(({ length }) => new Uint8Array(length).fill(1))
  return sumPowers(graph, { ...network, isKept }, grid, norm).columns.values
}

interface PowerSums {
  readonly rows: AxisSums
  readonly columns: AxisSums
}

interface AxisSums {
  readonly axis: GridAxis
  /** Positions that are left. */
  readonly kept: Int32Array
  /** Of each of them. */
  readonly values: Float64Array
}

/** Sums of |w|^p over what is left of a weight, for each kept row and each kept column. */
function sumPowers(
  graph: NeuronGraph,
  { weights, isKept, headScale }: PrunedNetwork,
  { name, row, column, offsets }: WeightGrid,
  norm: Norm,
): PowerSums {
  const { data } = weights.get(name)!
  const rows = keptPositions(row, isKept)
  const columns = keptPositions(column, isKept)
  const at = elementsOf(columns, column.stride, 0)
  const sums = {
    rows: new Float64Array(rows.length),
    columns: new Float64Array(columns.length),
  }
  const scales = makesClasses(graph, column)
    ? scalesOf(graph, column.positions, { columns, headScale })
    : new Float64Array(columns.length).fill(1)
  for (const offset of offsets) {
    const starts = elementsOf(rows, row.stride, offset)
    addPowers({ data, starts, at }, POWERS[norm], scales, sums)
  }
  return {
    rows: { axis: row, kept: rows, values: sums.rows },
    columns: { axis: column, kept: columns, values: sums.columns },
  }
}

const makesClasses = (graph: NeuronGraph, { layout }: GridAxis): boolean =>
  groupsIn(layout).includes(headGroup(graph).index)

/** Factors of the classes, and 1 of what is no class. */
function scalesOf(
  graph: NeuronGraph,
  positions: AxisPositions,
  { columns, headScale }: { columns: Int32Array; headScale: Float64Array },
): Float64Array {
  const head = headGroup(graph).index
  return Float64Array.from(columns, (at) =>
    positions.group[at] === head ? headScale[positions.neuron[at]!]! : 1,
  )
}

import type { NeuronGraph, NeuronGroup } from '../../shared/model/neuron-graph.ts'
import { groupsIn, type Role } from '../../shared/model/neurons.ts'
import type { NamedTensor } from '../../shared/model/weights.ts'
import { keptPositions, weightGrid } from './weight-grid.ts'

/** p of the norm without its root: l2 sums squares, l1 sums magnitudes. */
export type Norm = 'l2' | 'l1'

/** A network that has lost some of its neurons, without having been built. */
export interface PrunedNetwork {
  readonly weights: ReadonlyMap<string, NamedTensor>
  /** Neurons of each group in `weights`, [group]. */
  readonly widths: readonly number[]
  /** [group][neuron]: 1 where it is still there. */
  readonly isKept: readonly Uint8Array[]
  /** What the logit of each class is multiplied by, [class]. */
  readonly headScale: Float64Array
}

const COUNTED_ROLES: ReadonlySet<Role> = new Set(['kernel', 'embedding', 'gamma', 'reader'])

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
  const sums = network.widths.map((width) => new Float64Array(width))
  const members = network.widths.map(() => 0)
  const asked = new Set(groups.map(({ index }) => index))
  for (const name of countedWeights(graph, asked)) {
    const [rows, columns] = sumPowers(graph, network, name, norm)
    for (const axis of graph.axes.get(name)!) {
      if (!COUNTED_ROLES.has(axis.role)) continue
      const isRow = rows !== undefined && axis.axis === rows.axis
      const { positions, values } = isRow ? rows : columns
      for (const group of groupsIn(axis.layout)) members[group]!++
      values.forEach((value, position) => {
        const group = positions.group[position]!
        if (group !== -1) sums[group]![positions.neuron[position]!]! += value
      })
    }
  }
  return sums.map((ofGroup, group) =>
    asked.has(group) ? ofGroup.map((sum) => sum / Math.max(1, members[group]!)) : ofGroup.fill(0),
  )
}

/** Weights that count for one of the groups. */
function countedWeights(graph: NeuronGraph, groups: ReadonlySet<number>): string[] {
  return [...graph.axes].flatMap(([name, axes]) => {
    const counts = axes.some(
      ({ role, layout }) => COUNTED_ROLES.has(role) && groupsIn(layout).some((g) => groups.has(g)),
    )
    return counts ? [name] : []
  })
}

/** Sums of |w|^p over what is left of a weight, by position of its row axis and of its column axis. */
function sumPowers(
  graph: NeuronGraph,
  { weights, widths, isKept, headScale }: PrunedNetwork,
  name: string,
  norm: Norm,
) {
  const tensor = weights.get(name)!
  const { row, column, offsets } = weightGrid(graph, tensor, widths)
  const { data } = tensor
  const rows = keptPositions(row.positions, isKept)
  const columns = keptPositions(column.positions, isKept)
  const rowSums = new Float64Array(row.positions.group.length)
  const columnSums = new Float64Array(column.positions.group.length)
  const scale = columnScales(graph, column.positions, headScale, norm)
  const isSquare = norm === 'l2'
  for (let o = 0; o < offsets.length; o++) {
    for (let i = 0; i < rows.length; i++) {
      const at = offsets[o]! + rows[i]! * row.stride
      let sum = 0
      for (let j = 0; j < columns.length; j++) {
        const position = columns[j]!
        const value = data[at + position * column.stride]!
        const power = (isSquare ? value * value : Math.abs(value)) * (scale?.[position] ?? 1)
        sum += power
        columnSums[position]! += power
      }
      rowSums[rows[i]!]! += sum
    }
  }
  const axes = graph.axes.get(name)!.map(({ axis }) => axis)
  const byColumn = { axis: Math.max(...axes), positions: column.positions, values: columnSums }
  const byRow = { axis: Math.min(...axes), positions: row.positions, values: rowSums }
  return [axes.length > 1 ? byRow : undefined, byColumn] as const
}

/** |scale|^p of each class, where the columns are the classes. */
function columnScales(
  graph: NeuronGraph,
  { group, neuron }: { readonly group: Int32Array; readonly neuron: Int32Array },
  headScale: Float64Array,
  norm: Norm,
): Float64Array | undefined {
  const isHead = (of: number) => of !== -1 && graph.groups[of]!.isHead
  if (!group.some(isHead)) return undefined
  return Float64Array.from(group, (of, position) => {
    if (!isHead(of)) return 1
    const scale = headScale[neuron[position]!]!
    return norm === 'l2' ? scale * scale : Math.abs(scale)
  })
}

import { type NeuronGraph, shapesWith } from '../../shared/model/neuron-graph.ts'
import {
  type AxisLayout,
  type AxisPositions,
  groupsIn,
  positionsOf,
  type Role,
} from '../../shared/model/neurons.ts'
import { type NamedShape, sizeOf } from '../../shared/model/weights.ts'

/** One axis of a weight, and whose its positions are. */
export interface GridAxis {
  /** What the weight is to the neurons on this axis; null where there are none. */
  readonly role: Role | null
  readonly layout: AxisLayout
  readonly positions: AxisPositions
  /** Every position, ascending. */
  readonly all: Int32Array
  /** Elements from one position to the next. */
  readonly stride: number
}

/**
 * A weight seen by its neurons: element = offset + row * row.stride + column * column.stride.
 * At most two axes of a weight carry neurons, the input side's and the output side's; where there are
 * fewer, an axis of length 1 stands in.
 */
export interface WeightGrid {
  readonly name: string
  readonly row: GridAxis
  readonly column: GridAxis
  /** Offsets of all other axes together, [element]. */
  readonly offsets: Int32Array
}

/** The weights of a network of these widths, [group], in the order of the graph. */
export type Grids = (widths: readonly number[]) => readonly WeightGrid[]

const NO_AXIS: GridAxis = {
  role: null,
  layout: { kind: 'fixed', length: 1 },
  positions: { group: Int32Array.of(-1), neuron: Int32Array.of(0) },
  all: Int32Array.of(0),
  stride: 0,
}

/** Lays weights out; parents of equal widths, as they mostly are, share what was laid out once. */
export function createGrids(graph: NeuronGraph): Grids {
  const known = new Map<string, readonly WeightGrid[]>()
  return (widths) => {
    const key = widths.join()
    const found =
      known.get(key) ?? shapesWith(graph, widths).map((weight) => weightGrid(graph, weight, widths))
    known.set(key, found)
    return found
  }
}

function weightGrid(
  graph: NeuronGraph,
  { name, shape }: NamedShape,
  widths: readonly number[],
): WeightGrid {
  const carrying = (graph.axes.get(name) ?? []).toSorted((a, b) => a.axis - b.axis)
  const strideOf = (axis: number) => sizeOf(shape.slice(axis + 1))
  const axes = carrying.map(({ axis, role, layout }) => ({
    role,
    layout,
    positions: positionsOf(layout, widths),
    all: new Int32Array(shape[axis]!).map((_, position) => position),
    stride: strideOf(axis),
  }))
  let offsets = Int32Array.of(0)
  shape.forEach((length, axis) => {
    if (carrying.some((of) => of.axis === axis)) return
    const next = new Int32Array(offsets.length * length)
    for (let i = 0, k = 0; i < offsets.length; i++) {
      for (let j = 0; j < length; j++) next[k++] = offsets[i]! + j * strideOf(axis)
    }
    offsets = next
  })
  // A lone axis is a column, as a bias is one row.
  const [row = NO_AXIS, column = NO_AXIS] = axes.length === 1 ? [NO_AXIS, ...axes] : axes
  return { name, row, column, offsets }
}

/**
 * Positions whose neurons are kept, ascending; not to be changed.
 *
 * @param isKept [group][neuron]; fixed positions are always kept
 */
export function keptPositions(
  { layout, positions, all }: GridAxis,
  isKept: readonly Uint8Array[],
): Int32Array {
  if (groupsIn(layout).every((group) => !isKept[group]!.includes(0))) return all
  const { group, neuron } = positions
  const kept = new Int32Array(group.length)
  let count = 0
  for (let position = 0; position < group.length; position++) {
    const of = group[position]!
    if (of === -1 || isKept[of]![neuron[position]!] === 1) kept[count++] = position
  }
  return kept.subarray(0, count)
}

/** Elements at which positions of an axis lie. @param stride elements from one position to the next */
export function elementsOf(positions: Int32Array, stride: number, offset: number): Int32Array {
  const elements = new Int32Array(positions.length)
  for (let i = 0; i < positions.length; i++) elements[i] = offset + positions[i]! * stride
  return elements
}

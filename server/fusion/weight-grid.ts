import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { type AxisPositions, positionsOf } from '../../shared/model/neurons.ts'
import { sizeOf } from '../../shared/model/weights.ts'

/** Positions along one axis of a weight, and what they are. */
export interface GridAxis {
  readonly positions: AxisPositions
  /** Elements from one position to the next. */
  readonly stride: number
}

/**
 * A weight seen by its neurons: element = block + row * rowStride + between + column * columnStride + inner.
 * At most two axes of a weight carry neurons, the input side's and the output side's; where there are
 * fewer, an axis of length 1 stands in.
 */
export interface WeightGrid {
  readonly row: GridAxis
  readonly column: GridAxis
  /** Offsets of all other axes together, [element]. */
  readonly offsets: Int32Array
}

const NO_NEURONS: AxisPositions = { group: Int32Array.of(-1), neuron: Int32Array.of(0) }

/**
 * @param shape of the weight in a network of these widths
 * @param widths neurons of each group, [group]
 */
export function weightGrid(
  graph: NeuronGraph,
  { name, shape }: { readonly name: string; readonly shape: readonly number[] },
  widths: readonly number[],
): WeightGrid {
  const carrying = (graph.axes.get(name) ?? []).toSorted((a, b) => a.axis - b.axis)
  const strideOf = (axis: number) => sizeOf(shape.slice(axis + 1))
  const [row, column] = carrying.map(({ axis, layout }) => ({
    positions: positionsOf(layout, widths),
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
  const none = { positions: NO_NEURONS, stride: 0 }
  return column === undefined
    ? { row: none, column: row ?? none, offsets }
    : { row: row!, column, offsets }
}

/**
 * Positions whose neurons are kept, ascending, and where each goes.
 *
 * @param isKept [group][neuron]; fixed positions are always kept
 */
export function keptPositions(
  { group, neuron }: AxisPositions,
  isKept: readonly Uint8Array[],
): Int32Array {
  const kept = new Int32Array(group.length)
  let count = 0
  for (let position = 0; position < group.length; position++) {
    const of = group[position]!
    if (of === -1 || isKept[of]![neuron[position]!] === 1) kept[count++] = position
  }
  return kept.subarray(0, count)
}

import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { shapesWith } from '../../shared/model/neuron-graph.ts'
import type { AxisPositions } from '../../shared/model/neurons.ts'
import { type NamedTensor, sizeOf } from '../../shared/model/weights.ts'
import type { Candidate } from './choose-neurons.ts'
import { keptPositions, weightGrid } from './weight-grid.ts'

/**
 * The weights of the kept neurons, those of the first candidate first. Weights between neurons of two
 * candidates are zero; where all positions of a weight are fixed, as the head's bias, the candidates'
 * values are summed. Heads are scaled on the way. One candidate's weights are in memory at a time.
 *
 * @param candidates each with the neurons to gather
 * @returns fresh tensors, in the order of the graph
 */
export async function gatherNeurons(
  candidates: readonly Candidate[],
  graph: NeuronGraph,
): Promise<NamedTensor[]> {
  const widths = graph.groups.map(({ index, isFixed, width }) =>
    isFixed ? width : candidates.reduce((sum, { isKept }) => sum + count(isKept[index]!), 0),
  )
  const fused = shapesWith(graph, widths).map(({ name, shape }) => ({
    name,
    shape,
    data: new Float32Array(sizeOf(shape)),
  }))
  const taken = graph.groups.map(() => 0)
  for (const candidate of candidates) {
    const weights = await candidate.load()
    const places = placesOf(candidate, taken)
    for (const target of fused) {
      addBlock(graph, { source: weights.get(target.name)!, target }, { candidate, widths, places })
    }
    candidate.isKept.forEach((kept, group) => {
      // The classes of all candidates are the same ones.
      if (!graph.groups[group]!.isFixed) taken[group]! += count(kept)
    })
  }
  return fused
}

interface Move {
  readonly candidate: Candidate
  /** Of the fused network, [group]. */
  readonly widths: readonly number[]
  /** Where each kept neuron of the candidate goes, [group][neuron]. */
  readonly places: readonly Int32Array[]
}

function addBlock(
  graph: NeuronGraph,
  { source, target }: { source: NamedTensor; target: NamedTensor },
  { candidate, widths, places }: Move,
): void {
  const from = weightGrid(graph, source, candidate.widths)
  const to = weightGrid(graph, target, widths)
  const rows = keptPositions(from.row.positions, candidate.isKept)
  const columns = keptPositions(from.column.positions, candidate.isKept)
  const toRows = placed(rows, from.row.positions, { to: to.row.positions, places })
  const toColumns = placed(columns, from.column.positions, { to: to.column.positions, places })
  const scales = Float64Array.from(columns, (position) => {
    const group = from.column.positions.group[position]!
    const isHead = group !== -1 && graph.groups[group]!.isHead
    return isHead ? candidate.headScale[from.column.positions.neuron[position]!]! : 1
  })
  for (let o = 0; o < from.offsets.length; o++) {
    for (let i = 0; i < rows.length; i++) {
      const at = from.offsets[o]! + rows[i]! * from.row.stride
      const goes = to.offsets[o]! + toRows[i]! * to.row.stride
      for (let j = 0; j < columns.length; j++) {
        target.data[goes + toColumns[j]! * to.column.stride]! +=
          source.data[at + columns[j]! * from.column.stride]! * scales[j]!
      }
    }
  }
}

/** Where positions of a candidate's axis lie on the fused network's axis. */
function placed(
  kept: Int32Array,
  from: AxisPositions,
  { to, places }: { to: AxisPositions; places: readonly Int32Array[] },
): Int32Array {
  // Both axes have the same parts in the same order, with as many positions a neuron: the n-th position
  // of a neuron here is the n-th of its place there.
  const positionsThere = indexed(to)
  const met = new Map<number, number>()
  return kept.map((position) => {
    const group = from.group[position]!
    const neuron = group === -1 ? from.neuron[position]! : places[group]![from.neuron[position]!]!
    const key = keyOf(group, neuron)
    const nth = met.get(key) ?? 0
    met.set(key, nth + 1)
    return positionsThere.get(key)![nth]!
  })
}

function indexed({ group, neuron }: AxisPositions): Map<number, number[]> {
  const index = new Map<number, number[]>()
  for (let position = 0; position < group.length; position++) {
    const key = keyOf(group[position]!, neuron[position]!)
    const found = index.get(key)
    if (found === undefined) index.set(key, [position])
    else found.push(position)
  }
  return index
}

/** One number for a group (-1 where fixed) and a neuron. */
const keyOf = (group: number, neuron: number): number => (group + 1) * 2 ** 32 + neuron

function placesOf({ isKept }: Candidate, taken: readonly number[]): Int32Array[] {
  return isKept.map((kept, group) => {
    let next = taken[group]!
    return Int32Array.from(kept, (flag) => (flag === 1 ? next++ : -1))
  })
}

const count = (flags: Uint8Array): number => flags.reduce((sum, flag) => sum + flag, 0)

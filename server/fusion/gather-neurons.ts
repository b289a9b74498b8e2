import { headGroup, type NeuronGraph, shapesWith } from '../../shared/model/neuron-graph.ts'
import { type AxisLayout, lengthOf } from '../../shared/model/neurons.ts'
import { type NamedTensor, sizeOf } from '../../shared/model/weights.ts'
import { type Candidate, countKept } from './choose-neurons.ts'
import {
  createGrids,
  elementsOf,
  type GridAxis,
  keptPositions,
  type WeightGrid,
} from './weight-grid.ts'

/**
 * The weights of the kept neurons, those of the first candidate first. Weights between neurons of two
 * candidates are zero. What no neuron that can be chosen has a part in, the candidates share: the head's
 * bias is summed, scaled as the heads are, anything else, as a normalisation of the input, is their mean.
 * One candidate's weights are in memory at a time.
 *
 * @param candidates each with the neurons to gather
 * @returns fresh tensors, in the order of the graph
 */
export async function gatherNeurons(
  candidates: readonly Candidate[],
  graph: NeuronGraph,
): Promise<NamedTensor[]> {
  const widths = graph.groups.map(({ index, isFixed, width }) =>
    isFixed ? width : candidates.reduce((sum, { isKept }) => sum + countKept(isKept[index]!), 0),
  )
  const grids = createGrids(graph)(widths)
  const fused = shapesWith(graph, widths).map(({ name, shape }) => ({
    name,
    shape,
    data: new Float32Array(sizeOf(shape)),
  }))
  const taken = widths.map(() => 0)
  for (const candidate of candidates) {
    const weights = await candidate.load()
    const places = placesOf(candidate, taken)
    const move = { graph, candidate, widths, places, share: 1 / candidates.length }
    grids.forEach((to, w) => {
      const { data } = weights.get(to.name)!
      addBlock(move, { data, grid: candidate.grids[w]! }, { data: fused[w]!.data, grid: to })
    })
    for (const { index, isFixed } of graph.groups) {
      if (!isFixed) taken[index]! += countKept(candidate.isKept[index]!)
    }
  }
  return fused
}

interface Move {
  readonly graph: NeuronGraph
  readonly candidate: Candidate
  /** Of the fused network, [group]. */
  readonly widths: readonly number[]
  /** Where each kept neuron of the candidate goes, [group][neuron]; -1 for the others. */
  readonly places: readonly Int32Array[]
  /** What the candidate has of weights that all share. */
  readonly share: number
}

interface Block {
  readonly data: Float32Array
  readonly grid: WeightGrid
}

function addBlock(
  move: Move,
  { data, grid: from }: Block,
  { data: target, grid: to }: Block,
): void {
  const { graph, candidate, share } = move
  const rows = keptPositions(from.row, candidate.isKept)
  const columns = keptPositions(from.column, candidate.isKept)
  const toRows = targetsOf(to.row, rows.length, move)
  const toColumns = targetsOf(to.column, columns.length, move)
  const line: Line = {
    data,
    at: elementsOf(columns, from.column.stride, 0),
    target,
    goes: elementsOf(toColumns, to.column.stride, 0),
  }
  const { group, neuron } = from.column.positions
  const head = headGroup(graph).index
  const isOwn = !columns.some((at) => group[at] === head || group[at] === -1)
  const scaled = Float64Array.from(isOwn ? [] : columns, (at) =>
    group[at] === head ? candidate.headScale[neuron[at]!]! : 1,
  )
  // Where neither row nor column belongs to a neuron of the candidate's own.
  const shared = scaled.map((scale, j) => (group[columns[j]!] === -1 ? share : scale))
  from.offsets.forEach((offset, o) => {
    const starts = elementsOf(rows, from.row.stride, offset)
    const ends = elementsOf(toRows, to.row.stride, to.offsets[o]!)
    if (isOwn) copyRows(line, starts, ends)
    else {
      addRows(line, starts, ends, (i) =>
        from.row.positions.group[rows[i]!] === -1 ? shared : scaled,
      )
    }
  })
}

/** The kept columns of a weight. */
interface Line {
  readonly data: Float32Array
  /** Of each column, counted from the beginning of its row in `data`. */
  readonly at: Int32Array
  readonly target: Float32Array
  /** The same in `target`. */
  readonly goes: Int32Array
}

// One loop over all rows, which V8 compiles while it runs.
function copyRows({ data, at, target, goes }: Line, starts: Int32Array, ends: Int32Array): void {
  for (let i = 0; i < starts.length; i++) {
    const start = starts[i]!
    const end = ends[i]!
    for (let j = 0; j < at.length; j++) target[end + goes[j]!] = data[start + at[j]!]!
  }
}

/** @param scalesOf what each column of row i is multiplied by */
function addRows(
  { data, at, target, goes }: Line,
  starts: Int32Array,
  ends: Int32Array,
  scalesOf: (i: number) => Float64Array,
): void {
  for (let i = 0; i < starts.length; i++) {
    const start = starts[i]!
    const end = ends[i]!
    const scales = scalesOf(i)
    for (let j = 0; j < at.length; j++) {
      target[end + goes[j]!]! += data[start + at[j]!]! * scales[j]!
    }
  }
}

/**
 * Where the kept positions of an axis lie on the same axis of the fused network, in their order.
 *
 * @param count of the kept positions
 */
function targetsOf({ layout, all }: GridAxis, count: number, { widths, places }: Move): Int32Array {
  if (layout.kind === 'fixed') return all
  const targets = new Int32Array(count)
  let next = 0
  add(layout, 0)
  return targets

  function add(part: AxisLayout, from: number): void {
    switch (part.kind) {
      case 'neurons':
        for (const place of places[part.group]!) {
          if (place === -1) continue
          next = addRun(targets, next, from + place * part.each, part.each)
        }
        return
      case 'fixed':
        next = addRun(targets, next, from, part.length)
        return
      case 'repeat': {
        const length = lengthOf(part.of, widths)
        for (let i = 0; i < part.times; i++) add(part.of, from + i * length)
        return
      }
      case 'concat': {
        let at = from
        for (const of of part.parts) {
          add(of, at)
          at += lengthOf(of, widths)
        }
      }
    }
  }
}

/** `length` positions from `first` on. @returns the place behind them */
function addRun(targets: Int32Array, place: number, first: number, length: number): number {
  for (let i = 0; i < length; i++) targets[place++] = first + i
  return place
}

function placesOf({ isKept }: Candidate, taken: readonly number[]): Int32Array[] {
  return isKept.map((kept, group) => {
    const places = new Int32Array(kept.length)
    let next = taken[group]!
    for (let neuron = 0; neuron < kept.length; neuron++) {
      places[neuron] = kept[neuron] === 1 ? next++ : -1
    }
    return places
  })
}

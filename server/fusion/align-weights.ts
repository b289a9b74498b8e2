import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import {
  type AxisLayout,
  type AxisPositions,
  lengthOf,
  positionsOf,
} from '../../shared/model/neurons.ts'
import { type NamedTensor, sizeOf, type Weights } from '../../shared/model/weights.ts'

/** One entry of a sparse matrix over neurons: `value` of neuron `from` goes into neuron `to`. */
export interface Transport {
  readonly from: number
  readonly to: number
  readonly value: number
}

/** How the neurons of one group become those of another network. */
export interface GroupAlignment {
  /** Along axes that make the neurons: new[to] = sum value * old[from]. */
  readonly outputs: readonly Transport[]
  /** Along axes that read them. */
  readonly readers: readonly Transport[]
}

export interface AlignedWidths {
  /** Neurons of each group, [group]. */
  readonly from: readonly number[]
  readonly to: readonly number[]
  /** Only axes that read neurons, or only those that make them; both unless given. */
  readonly side?: keyof GroupAlignment
}

/**
 * Carries a network's weights over to other neurons, axis by axis.
 *
 * @param weights of a network of widths `from`; borrowed. Some of them will do
 * @param alignments [group]; undefined leaves a group where it is
 * @returns fresh tensors, in the order given
 */
export function alignWeights(
  weights: Weights,
  graph: NeuronGraph,
  alignments: readonly (GroupAlignment | undefined)[],
  widths: AlignedWidths,
): NamedTensor[] {
  return weights.map((tensor) => {
    let current: NamedTensor = { ...tensor, data: tensor.data.slice() }
    for (const { axis, role, layout } of graph.axes.get(tensor.name) ?? []) {
      const side = role === 'reader' ? 'readers' : 'outputs'
      if (widths.side !== undefined && widths.side !== side) continue
      const moves = positionMoves(layout, { alignments, side, ...widths })
      if (moves === undefined) continue
      const length = lengthOf(layout, widths.to)
      current = moveAlong(current, { axis, length, moves })
    }
    return current
  })
}

interface MoveInput {
  readonly alignments: readonly (GroupAlignment | undefined)[]
  readonly side: 'outputs' | 'readers'
  readonly from: readonly number[]
  readonly to: readonly number[]
}

/** The alignment of the groups on an axis, by position; undefined where none of them moves. */
function positionMoves(
  layout: AxisLayout,
  { alignments, side, from, to }: MoveInput,
): Transport[] | undefined {
  const [here, there] = [positionsOf(layout, from), positionsOf(layout, to)]
  if (![...new Set(here.group)].some((group) => alignments[group] !== undefined)) return undefined
  const [placesHere, placesThere] = [placesOf(here), placesOf(there)]
  const moves: Transport[] = []
  for (const [group, places] of placesHere) {
    const alignment = alignments[group]
    const goes = placesThere.get(group)!
    const transports =
      alignment?.[side] ??
      [...places.keys()].map((neuron) => ({ from: neuron, to: neuron, value: 1 }))
    // A neuron has as many positions here as there, in the same order.
    for (const { from: source, to: target, value } of transports) {
      const sources = places.get(source) ?? []
      sources.forEach((position, nth) => {
        moves.push({ from: position, to: goes.get(target)![nth]!, value })
      })
    }
  }
  return moves
}

/** Positions of each neuron, by group. */
function placesOf({ group, neuron }: AxisPositions): Map<number, Map<number, number[]>> {
  const places = new Map<number, Map<number, number[]>>()
  for (let position = 0; position < group.length; position++) {
    const ofGroup = places.get(group[position]!) ?? new Map<number, number[]>()
    places.set(group[position]!, ofGroup)
    const found = ofGroup.get(neuron[position]!)
    if (found === undefined) ofGroup.set(neuron[position]!, [position])
    else found.push(position)
  }
  return places
}

function moveAlong(
  { name, shape, data }: NamedTensor,
  { axis, length, moves }: { axis: number; length: number; moves: readonly Transport[] },
): NamedTensor {
  const moved = { name, shape: shape.with(axis, length), data: new Float32Array(0) }
  moved.data = new Float32Array(sizeOf(moved.shape))
  const stride = sizeOf(shape.slice(axis + 1))
  const blocks = sizeOf(shape.slice(0, axis))
  const sums = new Float64Array(length * stride)
  for (let block = 0; block < blocks; block++) {
    const start = block * shape[axis]! * stride
    sums.fill(0)
    for (const { from, to, value } of moves) {
      for (let i = 0; i < stride; i++) {
        sums[to * stride + i]! += value * data[start + from * stride + i]!
      }
    }
    moved.data.set(sums, block * length * stride)
  }
  return moved
}

import { type NeuronGraph, widthsOf } from '../../shared/model/neuron-graph.ts'
import { type AxisPositions, positionsOf } from '../../shared/model/neurons.ts'
import { type NamedShape, sizeOf } from '../../shared/model/weights.ts'

/** Whose the elements of a weight are: position -> neuron of a group. */
export interface MadeNeurons {
  /** Group and neuron of each position, [position]. */
  readonly positions: AxisPositions
  /** Position of an element, row-major. */
  readonly positionOf: (element: number) => number
}

/**
 * The neurons that a weight makes.
 *
 * @param graph of the network's widths
 * @returns undefined for a weight that makes none
 */
export function madeNeurons(
  graph: NeuronGraph,
  { name, shape }: NamedShape,
): MadeNeurons | undefined {
  const made = graph.axes.get(name)?.findLast(({ role }) => role !== 'reader')
  if (made === undefined) return undefined
  const positions = positionsOf(made.layout, widthsOf(graph))
  const stride = sizeOf(shape.slice(made.axis + 1))
  const { length } = positions.group
  return { positions, positionOf: (element) => Math.floor(element / stride) % length }
}

/**
 * What each element of a weight counts, by the neuron that it makes.
 *
 * @param graph of the network's widths
 * @param shares [group][neuron]
 * @returns undefined for a weight that makes no neuron
 */
export function elementShares(
  graph: NeuronGraph,
  weight: NamedShape,
  shares: readonly Float64Array[],
): ((element: number) => number) | undefined {
  const made = madeNeurons(graph, weight)
  if (made === undefined) return undefined
  const { group, neuron } = made.positions
  const ofPosition = Float64Array.from(group, (of, at) => shares[of]![neuron[at]!]!)
  return (element) => ofPosition[made.positionOf(element)]!
}

import { type NeuronGraph, widthsOf } from '../../shared/model/neuron-graph.ts'
import { positionsOf } from '../../shared/model/neurons.ts'
import { type NamedShape, sizeOf } from '../../shared/model/weights.ts'

/**
 * What each element of a weight counts, by the neuron that it makes.
 *
 * @param graph of the network's widths
 * @param shares [group][neuron]
 * @returns undefined for a weight that makes no neuron
 */
export function elementShares(
  graph: NeuronGraph,
  { name, shape }: NamedShape,
  shares: readonly Float64Array[],
): ((element: number) => number) | undefined {
  const made = graph.axes.get(name)?.findLast(({ role }) => role !== 'reader')
  if (made === undefined) return undefined
  const { group, neuron } = positionsOf(made.layout, widthsOf(graph))
  const stride = sizeOf(shape.slice(made.axis + 1))
  const length = group.length
  const ofPosition = Float64Array.from(group, (of, at) => shares[of]![neuron[at]!]!)
  return (element) => ofPosition[Math.floor(element / stride) % length]!
}

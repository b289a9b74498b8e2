import { positionsOf } from '../../shared/model/neurons.ts'
import { type NeuronGraph, type NeuronGroup, widthsOf } from '../../shared/model/neuron-graph.ts'
import { type NamedTensor, sizeOf, type Weights } from '../../shared/model/weights.ts'

/**
 * Moves a group's neurons in every weight that makes or reads them, which leaves the logits as they were.
 * @param permutation p[target] = source, [neuron]
 */
export function permuteGroup(
  weights: Weights,
  graph: NeuronGraph,
  group: NeuronGroup,
  permutation: readonly number[],
): Weights {
  return weights.map((tensor) =>
    (graph.axes.get(tensor.name) ?? []).reduce((moved, { axis, layout }) => {
      const positions = positionsOf(layout, widthsOf(graph))
      /** Positions of each neuron of the group. */
      const places = Array.from({ length: group.width }, (): number[] => [])
      positions.group.forEach((of, at) => {
        if (of === group.index) places[positions.neuron[at]!]!.push(at)
      })
      const sources = Array.from(positions.group.keys())
      for (const [target, source] of permutation.entries()) {
        places[target]!.forEach((at, k) => (sources[at] = places[source]![k]!))
      }
      return gather(moved, axis, sources)
    }, tensor),
  )
}

/** What lies at `sources` along an axis, in that order. */
function gather({ name, shape, data }: NamedTensor, axis: number, sources: number[]): NamedTensor {
  const [length, inner] = [shape[axis]!, sizeOf(shape.slice(axis + 1))]
  const moved = data.map((_, i) => {
    const [outer, at] = [Math.floor(i / (length * inner)), Math.floor(i / inner) % length]
    return data[(outer * length + sources[at]!) * inner + (i % inner)]!
  })
  return { name, shape, data: moved }
}

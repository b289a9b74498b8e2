import {
  type NeuronGraph,
  type NeuronGroup,
  widthsOf,
  withWidths,
} from '../../shared/model/neuron-graph.ts'
import type { NamedTensor, Weights } from '../../shared/model/weights.ts'
import { alignWeights, type GroupAlignment } from './align-weights.ts'
import type { ComparedNetwork, Comparison } from './compare-neurons.ts'
import { elementShares } from './element-shares.ts'
import { measureWidths } from './measure-widths.ts'
import type { Parent } from './strategy.ts'

/** One group of a parent beside the same group of the parent that stays as it is. */
export interface GroupPair {
  readonly group: NeuronGroup
  /** Neurons of the parent that is carried over, and of the one that stays. */
  readonly sizes: readonly [number, number]
  /** |a_i - b_j|, [aligned neuron, staying neuron]; of fixed groups empty. */
  readonly distances: Float64Array
}

/** A parent carried over to the neurons of the first. */
export interface AlignedParent {
  readonly weights: readonly NamedTensor[]
  /** [group]; undefined where the group stays as it is. */
  readonly alignments: readonly (GroupAlignment | undefined)[]
}

export interface AlignInput {
  readonly graph: NeuronGraph
  /** What neurons are compared by. */
  readonly compare: Comparison
  /** How the neurons of a group go over. @param parent index among the others */
  readonly align: (pair: GroupPair, parent: number) => GroupAlignment
}

/**
 * Carries parents over to the neurons of a first one: group after group, input side first.
 *
 * @param first stays as it is
 * @returns in the order of `others`; weights of the widths of `first`
 */
export async function alignParents(
  first: Parent,
  others: readonly Parent[],
  { graph, compare, align }: AlignInput,
): Promise<AlignedParent[]> {
  const load = async (parent: Parent): Promise<ComparedNetwork> => {
    const weights = await parent.load()
    return { weights, graph: withWidths(graph, measureWidths(weights, graph, parent.id)) }
  }
  const staying = await load(first)
  const comparison = await compare(staying)
  try {
    const aligned: AlignedParent[] = []
    for (const [index, other] of others.entries()) {
      const moving = await load(other)
      const distancesOf = await comparison.to(moving)
      const alignments: (GroupAlignment | undefined)[] = []
      for (const group of graph.groups) {
        if (group.isFixed) continue
        const sizes = [
          widthsOf(moving.graph)[group.index]!,
          widthsOf(staying.graph)[group.index]!,
        ] as const
        const distances = await distancesOf.group(group, alignments)
        alignments[group.index] = align({ group, sizes, distances }, index)
      }
      distancesOf.dispose()
      const widths = { from: widthsOf(moving.graph), to: widthsOf(staying.graph) }
      aligned.push({
        weights: alignWeights(moving.weights, graph, alignments, widths),
        alignments,
      })
    }
    return aligned
  } finally {
    comparison.dispose()
  }
}

/**
 * Mean of networks that are aligned with each other, each neuron with weights of its own.
 *
 * @param shares [network][group][neuron]; a weight counts with the neuron that it makes
 * @returns fresh tensors, in the order of the graph
 */
export function meanByNeuron(
  networks: readonly Weights[],
  graph: NeuronGraph,
  shares: readonly (readonly Float64Array[])[],
): NamedTensor[] {
  const byName = networks.map((weights) => new Map(weights.map((tensor) => [tensor.name, tensor])))
  return graph.weights.map(({ name }) => {
    const tensors = byName.map((weights) => weights.get(name)!)
    const { shape, data } = tensors[0]!
    const sums = new Float64Array(data.length)
    tensors.forEach((tensor, k) => {
      const factor = elementShares(graph, tensor, shares[k]!) ?? (() => 1 / networks.length)
      for (let i = 0; i < sums.length; i++) sums[i]! += factor(i) * tensor.data[i]!
    })
    return { name, shape, data: Float32Array.from(sums) }
  })
}

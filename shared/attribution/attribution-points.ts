import type { NeuronGraph } from '../model/neuron-graph.ts'
import { groupsIn } from '../model/neurons.ts'
import { NETWORK_INPUT } from '../model/op-graph.ts'
import type { AttributionPoint } from './scorer.ts'

/**
 * For each group the nodes whose outputs are its neurons' values: behind the layer that makes them
 * (`pre`, with bias and batch normalisation), or behind the activation that follows (`post`), where there is one.
 * Neurons of a residual stream are read at every level that ends in them, others at one place.
 */
export function attributionPoints(graph: NeuronGraph, point: AttributionPoint): number[][] {
  return graph.groups.map(({ index }) => {
    const levels = graph.levels.filter(({ groups }) => groups.includes(index))
    if (levels.length > 0) return levels.map((level) => level[point])
    const made = graph.layouts.findIndex((layout) => groupsIn(layout).includes(index))
    return [point === 'pre' ? made : behindActivation(graph, made)]
  })
}

/** The activation that alone reads this node, straight or behind a bias or batch normalisation. */
function behindActivation({ ops: { nodes } }: NeuronGraph, made: number): number {
  for (let node = made; ;) {
    const readers = nodes.flatMap(({ inputs }, i) => (inputs.includes(node) ? [i] : []))
    const [reader = NETWORK_INPUT, ...others] = readers
    const kind = nodes[reader]?.op.kind
    if (others.length > 0 || kind === undefined) return made
    if (kind === 'relu' || kind === 'activation') return reader
    if (kind !== 'bias' && kind !== 'batch-norm') return made
    node = reader
  }
}

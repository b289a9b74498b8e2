import type { NeuronGraph } from '../model/neuron-graph.ts'
import { groupsIn } from '../model/neurons.ts'
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
    return [behindMaker(graph, made)[point]]
  })
}

/** The points of neurons inside of a level, as far as one node alone reads another. */
function behindMaker(
  { ops: { nodes } }: NeuronGraph,
  made: number,
): Record<AttributionPoint, number> {
  let pre = made
  for (;;) {
    const readers = nodes.flatMap(({ inputs }, i) => (inputs.includes(pre) ? [i] : []))
    const [reader] = readers
    if (reader === undefined || readers.length > 1) return { pre, post: pre }
    const { kind } = nodes[reader]!.op
    if (kind === 'relu' || kind === 'activation') return { pre, post: reader }
    if (kind !== 'bias' && kind !== 'batch-norm') return { pre, post: pre }
    pre = reader
  }
}

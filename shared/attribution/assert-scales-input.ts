import { GraftError } from '../errors.ts'
import type { NeuronGraph } from '../model/neuron-graph.ts'

/**
 * For scorers that move an input towards zero: half of an index is no index.
 * @throws GraftError GRAFT_LAYER_UNSUPPORTED naming the embedding that reads indices
 */
export function assertScalesInput({ ops, axes }: NeuronGraph, scorer: string): void {
  const isTable = ({ name }: { name: string }) =>
    axes.get(name)?.some(({ role }) => role === 'embedding') === true
  const table = ops.nodes.find(({ op }) => op.weights.some(isTable))
  if (table === undefined) return
  throw new GraftError(
    'GRAFT_LAYER_UNSUPPORTED',
    `Layer ${table.op.layer} (Embedding) reads indices, which cannot be scaled down to zero as ${scorer} does: score by ablation or uniform.`,
  )
}

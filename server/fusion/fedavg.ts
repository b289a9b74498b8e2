import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { sizeOf, type Weights } from '../../shared/model/weights.ts'
import { ledgerOf } from './ledger.ts'
import { assertSameWidths, measureWidths } from './measure-widths.ts'
import { inIdOrder } from './parents.ts'
import type { Fusion, FusionInput, Parent, Strategy } from './strategy.ts'

/**
 * Federated averaging: `w = sum_k (n_k / n) w_k` with `n = sum_k n_k`, over every weight, the moving
 * statistics of batch normalisation included. McMahan et al. 2017 (arXiv 1602.05629), Algorithm 1.
 * Summed in float64 in the order of the ids; one parent is in memory at a time.
 */
export const fedavg: Strategy = {
  name: 'fedavg',
  summary: 'mean of the weights, weighted by examples',
  paper: 'arXiv 1602.05629, Algorithm 1',
  options: {},
  fuse,
}

async function fuse({ parents, graph }: FusionInput): Promise<Fusion> {
  const ordered = inIdOrder(parents)
  const n = ordered.reduce((total, { numExamples }) => total + numExamples, 0)
  const weighed = ordered.map((parent) => ({ parent, share: parent.numExamples / n }))
  const parentShares = ordered.map(({ numExamples }, parent) => ({
    parent,
    share: numExamples / n,
    score: null,
  }))
  return {
    weights: await averageOf(weighed, graph),
    ledger: ledgerOf(
      graph,
      ordered.map(({ id }) => id),
      (_, neuron) => parentShares.map((share) => ({ ...share, neuron })),
    ),
  }
}

/**
 * `sum_k share_k w_k` over every weight, in float64 and in the order given, loading one parent at a time.
 *
 * @returns fresh weights, in the order of the graph
 * @throws GraftError GRAFT_SHAPE_MISMATCH for a parent of other widths than the graph's
 */
export async function averageOf(
  weighed: readonly { readonly parent: Parent; readonly share: number }[],
  graph: NeuronGraph,
): Promise<Weights> {
  const sums = graph.weights.map(({ shape }) => new Float64Array(sizeOf(shape)))
  for (const { parent, share } of weighed) {
    const weights = await parent.load()
    assertSameWidths(measureWidths(weights, graph, parent.id), graph, parent.id)
    addScaled(sums, inGraphOrder(weights, graph), share)
  }
  return graph.weights.map(({ name, shape }, i) => ({
    name,
    shape,
    data: Float32Array.from(sums[i]!),
  }))
}

function inGraphOrder(weights: Weights, graph: NeuronGraph): Weights {
  const byName = new Map(weights.map((tensor) => [tensor.name, tensor]))
  return graph.weights.map(({ name }) => byName.get(name)!)
}

function addScaled(sums: readonly Float64Array[], weights: Weights, scale: number): void {
  weights.forEach(({ data }, w) => {
    const sum = sums[w]!
    for (let i = 0; i < data.length; i++) sum[i]! += scale * data[i]!
  })
}

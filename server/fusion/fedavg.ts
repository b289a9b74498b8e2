import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { sizeOf, type Weights } from '../../shared/model/weights.ts'
import { type Ledger, ledgerOf } from './ledger.ts'
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
  const weighed = weighByExamples(parents)
  return { weights: await averageOf(weighed, graph), ledger: ledgerByShares(weighed, graph) }
}

/** A parent and what it counts; of all together 1. */
export interface WeighedParent {
  readonly parent: Parent
  readonly share: number
}

/** `n_k / n` of each, in the order of the ids. */
export function weighByExamples(parents: readonly Parent[]): WeighedParent[] {
  const ordered = inIdOrder(parents)
  const n = ordered.reduce((total, { numExamples }) => total + numExamples, 0)
  return ordered.map((parent) => ({ parent, share: parent.numExamples / n }))
}

/** Neuron j of the fused network is made of neuron j of every parent, by its share. */
export function ledgerByShares(weighed: readonly WeighedParent[], graph: NeuronGraph): Ledger {
  return ledgerOf(
    graph,
    weighed.map(({ parent }) => parent.id),
    (_, neuron) => weighed.map(({ share }, parent) => ({ parent, share, score: null, neuron })),
  )
}

/** {@link meanOf}, rounded. @returns fresh weights, in the order of the graph */
export async function averageOf(
  weighed: readonly WeighedParent[],
  graph: NeuronGraph,
): Promise<Weights> {
  const means = await meanOf(weighed, graph)
  return graph.weights.map(({ name, shape }, i) => {
    const data = Float32Array.from(means[i]!)
    // Let go of: of a large network, the sums take twice its memory.
    means[i] = NONE
    return { name, shape, data }
  })
}

/**
 * `sum_k share_k w_k` over every weight, in float64 and in the order given, loading one parent at a time.
 *
 * @returns [weight][element], in the order of the graph
 * @throws GraftError GRAFT_SHAPE_MISMATCH for a parent of other widths than the graph's
 */
export async function meanOf(
  weighed: readonly WeighedParent[],
  graph: NeuronGraph,
): Promise<Float64Array[]> {
  const sums = graph.weights.map(({ shape }) => new Float64Array(sizeOf(shape)))
  for (const { parent, share } of weighed) {
    addScaled(sums, inGraphOrder(await parent.load(), graph, parent.id), share)
  }
  return sums
}

/** @throws GraftError GRAFT_SHAPE_MISMATCH for weights of other widths than the graph's, naming whose they are */
export function inGraphOrder(weights: Weights, graph: NeuronGraph, of: string): Weights {
  assertSameWidths(measureWidths(weights, graph, of), graph, of)
  const byName = new Map(weights.map((tensor) => [tensor.name, tensor]))
  return graph.weights.map(({ name }) => byName.get(name)!)
}

const NONE = new Float64Array(0)

function addScaled(sums: readonly Float64Array[], weights: Weights, scale: number): void {
  weights.forEach(({ data }, w) => {
    const sum = sums[w]!
    for (let i = 0; i < data.length; i++) sum[i]! += scale * data[i]!
  })
}

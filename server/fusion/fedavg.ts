import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import {
  BLOCK_LENGTH,
  countNumbers,
  inOrderOf,
  openWeights,
  type WeightReader,
} from '../../shared/model/weight-reader.ts'
import { blocksOf, type WeightStream } from '../../shared/model/weight-stream.ts'
import { blockStrategy } from './block-strategy.ts'
import { type Ledger, ledgerOf } from './ledger.ts'
import { assertSameWidths, measureWidths } from './measure-widths.ts'
import { inIdOrder } from './parents.ts'
import type { FusionInput, OpenFusion, Parent } from './strategy.ts'

/**
 * Federated averaging: `w = sum_k (n_k / n) w_k` with `n = sum_k n_k`, over every weight, the moving
 * statistics of batch normalisation included. McMahan et al. 2017 (arXiv 1602.05629), Algorithm 1.
 * Summed in float64 in the order of the ids; a block of one parent is in memory at a time.
 */
export const fedavg = blockStrategy({
  name: 'fedavg',
  summary: 'mean of the weights, weighted by examples',
  paper: 'arXiv 1602.05629, Algorithm 1',
  options: {},
  open,
})

async function open({ parents, graph, signal }: FusionInput): Promise<OpenFusion> {
  const weighed = weighByExamples(parents)
  return {
    weights: averageOf(weighed, graph, signal),
    ledger: () => ledgerByShares(weighed, graph),
  }
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

/** {@link meansOf}, rounded, in the order of the graph. */
export function averageOf(
  weighed: readonly WeighedParent[],
  graph: NeuronGraph,
  signal?: AbortSignal,
): WeightStream {
  return {
    shapes: graph.weights,
    pieces: () => rounded(meansOf(weighed, graph, signal), ({ means }) => means),
  }
}

/** Numbers of blocks in float32, all in one array: each is gone when the next is asked for. */
export async function* rounded<Block>(
  blocks: AsyncIterable<Block>,
  numbersOf: (block: Block) => Float64Array,
): AsyncGenerator<Float32Array> {
  let all = new Float32Array(0)
  for await (const block of blocks) {
    const numbers = numbersOf(block)
    if (all.length < numbers.length) all = new Float32Array(numbers.length)
    all.set(numbers)
    yield all.subarray(0, numbers.length)
  }
}

/** Means of consecutive weights. */
export interface MeanBlock {
  /** Place of the first, all weights laid end to end in the order of the graph. */
  readonly from: number
  /** The receiver may change them; they are gone when the next block is asked for. */
  readonly means: Float64Array
}

/**
 * `sum_k share_k w_k` over every weight, in float64 and in the order given, a block of one parent at a time.
 *
 * @throws GraftError GRAFT_SHAPE_MISMATCH for a parent of other widths than the graph's; the reason of `signal`
 */
export async function* meansOf(
  weighed: readonly WeighedParent[],
  graph: NeuronGraph,
  signal?: AbortSignal,
): AsyncGenerator<MeanBlock> {
  const readers = await openParents(
    weighed.map(({ parent }) => parent),
    graph,
  )
  const total = countNumbers(graph.weights)
  const [sums, values] = [new Float64Array(mostOf(total)), new Float32Array(mostOf(total))]
  for (const { from, length } of blocksOf(total)) {
    const [means, own] = [sums.subarray(0, length).fill(0), values.subarray(0, length)]
    for (const [k, reader] of readers.entries()) {
      signal?.throwIfAborted()
      await reader.read(from, own)
      addScaled(means, own, weighed[k]!.share)
    }
    yield { from, means }
  }
}

/**
 * Opens parents of the graph's widths, one after the other.
 * @returns readers in the order of the graph, [parent]
 * @throws GraftError GRAFT_SHAPE_MISMATCH for one of other widths, naming whose they are
 */
export async function openParents(
  parents: readonly Parent[],
  graph: NeuronGraph,
): Promise<WeightReader[]> {
  const readers: WeightReader[] = []
  for (const parent of parents) {
    readers.push(inGraphOrder(await openWeights(parent), graph, parent.id))
  }
  return readers
}

/** @throws GraftError GRAFT_SHAPE_MISMATCH for weights of other widths than the graph's, naming whose they are */
export function inGraphOrder(reader: WeightReader, graph: NeuronGraph, of: string): WeightReader {
  assertSameWidths(measureWidths(reader.shapes, graph, of), graph, of)
  return inOrderOf(reader, graph.weights)
}

/** Numbers of the largest block of so many. */
const mostOf = (total: number): number => Math.min(total, BLOCK_LENGTH)

function addScaled(sums: Float64Array, values: Float32Array, scale: number): void {
  for (let i = 0; i < values.length; i++) sums[i]! += scale * values[i]!
}

import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { type NamedShape, sizeOf } from '../../shared/model/weights.ts'
import { assertSameWidths, measureWidths } from './measure-widths.ts'
import type { FusionInput, Parent } from './strategy.ts'

/** The same stretch of one weight, of every parent. */
export interface CoordinateSlice {
  readonly weight: NamedShape
  /** Index of the weight in the graph. */
  readonly index: number
  /** First element of the stretch in the weight, row-major. */
  readonly offset: number
  /** [parent][element of the stretch]; good until the receiver returns. */
  readonly values: readonly Float32Array[]
}

/** Numbers of all parents that are held beside each other: 64 MiB. */
const MOST_VALUES = 1 << 24

/**
 * Goes through all weights of all parents side by side, moving statistics included, for rules that look at
 * one coordinate of every parent at a time. One parent is loaded at a time; where its cohort is too large to
 * be held, each is loaded once a slice.
 *
 * @param parents in the order of `values`
 * @param mostValues numbers to hold beside each other, of all parents together
 * @throws GraftError GRAFT_SHAPE_MISMATCH for a parent of other widths than the fused network; or the reason
 *   of `signal`
 */
export async function forEachSlice(
  { parents, graph, signal }: Pick<FusionInput, 'parents' | 'graph' | 'signal'>,
  receive: (slice: CoordinateSlice) => void,
  mostValues = MOST_VALUES,
): Promise<void> {
  const total = graph.weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  const length = Math.max(1, Math.min(total, Math.floor(mostValues / parents.length)))
  const columns = parents.map(() => new Float32Array(length))
  for (let from = 0; from < total; from += length) {
    const stretches = stretchesOf(graph, from, Math.min(total, from + length))
    for (const [k, parent] of parents.entries()) {
      signal?.throwIfAborted()
      await copyStretches(parent, graph, { stretches, column: columns[k]! })
    }
    for (const { index, offset, at, size } of stretches) {
      const values = columns.map((column) => column.subarray(at, at + size))
      receive({ weight: graph.weights[index]!, index, offset, values })
    }
  }
}

/** Part of a weight that lies in a slice. */
interface Stretch {
  readonly index: number
  /** Where it begins in the weight. */
  readonly offset: number
  /** Where it begins in the slice. */
  readonly at: number
  readonly size: number
}

/** What lies between two coordinates when all weights are laid end to end. */
function stretchesOf(graph: NeuronGraph, from: number, to: number): Stretch[] {
  const stretches: Stretch[] = []
  let start = 0
  for (const [index, { shape }] of graph.weights.entries()) {
    const end = start + sizeOf(shape)
    const first = Math.max(from, start)
    const size = Math.min(to, end) - first
    if (size > 0) stretches.push({ index, offset: first - start, at: first - from, size })
    start = end
  }
  return stretches
}

async function copyStretches(
  parent: Parent,
  graph: NeuronGraph,
  { stretches, column }: { stretches: readonly Stretch[]; column: Float32Array },
): Promise<void> {
  const weights = await parent.load()
  assertSameWidths(measureWidths(weights, graph, parent.id), graph, parent.id)
  const byName = new Map(weights.map(({ name, data }) => [name, data]))
  for (const { index, offset, at, size } of stretches) {
    const data = byName.get(graph.weights[index]!.name)!
    column.set(data.subarray(offset, offset + size), at)
  }
}

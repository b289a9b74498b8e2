import { countNumbers, stretchesOf } from '../../shared/model/weight-reader.ts'
import type { NamedShape } from '../../shared/model/weights.ts'
import { openParents } from './fedavg.ts'
import type { FusionInput } from './strategy.ts'

/** The same stretch of one weight, of every parent. */
export interface CoordinateSlice {
  readonly weight: NamedShape
  /** Index of the weight in the graph. */
  readonly index: number
  /** First element of the stretch in the weight, row-major. */
  readonly offset: number
  /** [parent][element of the stretch]; good until the next slice is asked for. */
  readonly values: readonly Float32Array[]
}

/** Numbers of all parents that are held beside each other: 64 MiB. */
const MOST_VALUES = 1 << 24

/**
 * All weights of all parents side by side, moving statistics included, for rules that look at one coordinate of
 * every parent at a time; in the order of the graph, without gaps.
 *
 * @param parents in the order of `values`
 * @param mostValues numbers to hold beside each other, of all parents together
 * @throws GraftError GRAFT_SHAPE_MISMATCH for a parent of other widths than the fused network; or the reason
 *   of `signal`
 */
export async function* slicesOf(
  { parents, graph, signal }: Pick<FusionInput, 'parents' | 'graph' | 'signal'>,
  mostValues = MOST_VALUES,
): AsyncGenerator<CoordinateSlice> {
  const readers = await openParents(parents, graph)
  const total = countNumbers(graph.weights)
  const most = Math.max(1, Math.min(total, Math.floor(mostValues / parents.length)))
  const all = parents.map(() => new Float32Array(most))
  for (let from = 0; from < total; from += most) {
    const columns = all.map((column) => column.subarray(0, Math.min(most, total - from)))
    for (const [k, reader] of readers.entries()) {
      signal?.throwIfAborted()
      await reader.read(from, columns[k]!)
    }
    const stretches = stretchesOf(graph.weights, from, columns[0]!.length)
    for (const { index, offset, at, size } of stretches) {
      const values = columns.map((column) => column.subarray(at, at + size))
      yield { weight: graph.weights[index]!, index, offset, values }
    }
  }
}

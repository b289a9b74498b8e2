import { openWeights, placesOf, readBlock, stretchesOf } from '../../shared/model/weight-reader.ts'
import type { NamedShape } from '../../shared/model/weights.ts'
import type { StrategyState } from './strategy.ts'

/** Fresh numbers from place `from` on, all weights laid end to end. */
export type ReadRemembered = (from: number, length: number) => Promise<Float64Array>

/**
 * Opens a part of what a strategy remembers, to be read in blocks.
 *
 * @param weights the order in which it is read
 * @param initial of weights that are not remembered
 */
export async function recall(
  state: StrategyState,
  name: string,
  { weights, initial = 0 }: { readonly weights: readonly NamedShape[]; readonly initial?: number },
): Promise<ReadRemembered> {
  const remembered = state[name] && (await openWeights(state[name]))
  const places = placesOf(remembered?.shapes ?? [])
  return async (from, length) => {
    const block = new Float64Array(length).fill(initial)
    for (const { index, offset, at, size } of stretchesOf(weights, from, length)) {
      const place = places.get(weights[index]!.name)
      if (remembered === undefined || place === undefined) continue
      block.set(await readBlock(remembered, place + offset, size), at)
    }
    return block
  }
}

import { collect } from '../../shared/model/weight-stream.ts'
import type { BlockStrategy, Fusion, OpenFusion } from './strategy.ts'

/** A strategy that works in blocks, for those who want all of its network at once as well: there is one way to make it. */
export function blockStrategy(facts: Omit<BlockStrategy, 'holds' | 'fuse'>): BlockStrategy {
  return {
    ...facts,
    holds: 'blocks',
    fuse: async (input) => collectFusion(await facts.open(input)),
  }
}

/** @returns all of it in memory, but for the state, which is made when it is asked for */
export async function collectFusion({
  weights,
  ledger,
  state,
  ...said
}: OpenFusion): Promise<Fusion> {
  const collected = await collect(weights)
  const parts = state && Object.entries(state)
  return {
    ...said,
    weights: collected,
    ledger: ledger(),
    ...(parts && {
      state: Object.fromEntries(
        parts.map(([name, open]) => [name, { load: async () => collect(await open()) }]),
      ),
    }),
  }
}

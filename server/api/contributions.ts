import type { ClientId } from '../../shared/ids.ts'
import type { RoundPlace } from '../store/operator-store.ts'
import type { Store } from '../store/store.ts'

/** What each client brought to the newest round that measured it. */
export interface Contributions {
  readonly read: () => Promise<ReadonlyMap<ClientId, number>>
}

/** Remembers what the rounds so far say, as reports of many clients are long: each is read once. */
export function createContributions({ lists }: Pick<Store, 'lists'>): Contributions {
  let known: ReadonlyMap<ClientId, number> = new Map()
  let seen: RoundPlace | null = null

  return {
    async read() {
      const [newest] = await lists.models({ limit: 1 })
      if (newest === undefined) return known
      const { runNumber, round } = newest
      if (runNumber === seen?.runNumber && round === seen.round) return known
      const found = await lists.contributions(seen)
      seen = { runNumber, round }
      if (found.size > 0) known = found
      return known
    },
  }
}

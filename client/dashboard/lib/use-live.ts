import { createContext, useContext, useSyncExternalStore } from 'react'
import type { ClientLane } from '../../../shared/protocol/operator/live.ts'
import type { LiveState } from './live-state.ts'
import type { LiveStore } from './live-store.ts'

export const LiveContext = createContext<LiveStore | null>(null)

/**
 * A part of what the live feed told. The component renders again only when this part is another object, so that a
 * message about one client touches one row.
 *
 * @param select gives a value that the state holds, never a new object
 */
export function useLive<Part>(select: (state: LiveState) => Part): Part {
  const store = useContext(LiveContext)
  if (store === null) throw new TypeError('useLive is used outside of LiveContext')
  return useSyncExternalStore(store.subscribe, () => select(store.read()))
}

export function useLane(client: string): ClientLane | undefined {
  return useLive(({ lanes }) => lanes.get(client))
}

import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import type { Resource } from './live-state.ts'
import { useLive } from './use-live.ts'

/** Lists that a change of a resource touches, by the first word of their keys. */
const KEYS: Readonly<Record<Resource, readonly string[]>> = {
  runs: ['runs'],
  rounds: ['rounds', 'ledgers', 'runs', 'clients'],
  clients: ['clients'],
  models: ['models', 'runs'],
  quarantine: ['quarantine'],
  tokens: ['tokens'],
  sessions: ['sessions'],
  audit: ['audit'],
}

/** Asks again for whatever the live feed says has changed, as far as it is on the page. */
export function useRefresh(): void {
  const client = useQueryClient()
  const revisions = useLive((state) => state.revisions)
  const seen = useRef(revisions)
  useEffect(() => {
    for (const resource of Object.keys(KEYS) as Resource[]) {
      if (revisions[resource] === seen.current[resource]) continue
      for (const key of KEYS[resource]) void client.invalidateQueries({ queryKey: [key] })
    }
    seen.current = revisions
  }, [client, revisions])

  // Where a client is, and what a run is at, changes with each round, whether or not anybody lists it as changed.
  const place = useLive(({ federation }) =>
    federation === null ? null : `${federation.run ?? ''} ${federation.round?.round ?? ''}`,
  )
  const before = useRef(place)
  useEffect(() => {
    if (before.current !== null && before.current !== place)
      for (const key of ['clients', 'runs', 'rounds'])
        void client.invalidateQueries({ queryKey: [key] })
    before.current = place
  }, [client, place])
}

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { Navigate, useLocation } from 'react-router'
import type { SignedIn } from '../../../shared/protocol/operator/resources.ts'
import { isUnauthorised } from '../lib/api.ts'
import { followLive } from '../lib/live-connection.ts'
import { createLiveStore } from '../lib/live-store.ts'
import { SessionContext, useApi } from '../lib/use-api.ts'
import { LiveContext } from '../lib/use-live.ts'
import { Shell } from './shell.tsx'
import { Failure } from './ui/failure.tsx'
import { Skeleton } from './ui/loaded.tsx'

/** The pages behind the sign-in, which hear the live feed as long as the session lasts. */
export function SignedInOnly() {
  const api = useApi()
  const here = useLocation()
  const query = useQuery({
    queryKey: ['session'],
    queryFn: async () => {
      const signedIn = await api.get<SignedIn>('/session')
      api.useCsrfToken(signedIn.csrfToken)
      return signedIn
    },
    staleTime: 60_000,
  })
  if (isUnauthorised(query.error)) {
    const next = here.pathname + here.search
    return (
      <Navigate
        replace
        to={`/sign-in${next === '/' ? '' : `?next=${encodeURIComponent(next)}`}${here.hash}`}
      />
    )
  }
  if (query.data !== undefined)
    return (
      <SessionContext value={query.data.session}>
        <Live />
      </SessionContext>
    )
  return (
    <div className="alone">
      {query.error === null ? (
        <Skeleton lines={5} />
      ) : (
        <Failure error={query.error} onRetry={() => void query.refetch()} />
      )}
    </div>
  )
}

function Live() {
  const [store] = useState(createLiveStore)
  const api = useApi()
  const queries = useQueryClient()
  useEffect(() => followLive(store, api), [store, api])
  // A session that is over: asking for it again leads to the sign-in.
  useEffect(
    () =>
      store.subscribe(() => {
        if (store.read().connection === 'refused')
          void queries.invalidateQueries({ queryKey: ['session'] })
      }),
    [store, queries],
  )
  return (
    <LiveContext value={store}>
      <Shell />
    </LiveContext>
  )
}

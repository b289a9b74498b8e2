import { createContext, useContext } from 'react'
import type { SessionResource } from '../../../shared/protocol/operator/resources.ts'
import type { Api } from './api.ts'

export const ApiContext = createContext<Api | null>(null)
export const SessionContext = createContext<SessionResource | null>(null)

export function useApi(): Api {
  const api = useContext(ApiContext)
  if (api === null) throw new TypeError('useApi is used outside of ApiContext')
  return api
}

/** Who looks at the page: every page behind the sign-in has one. */
export function useSession(): SessionResource {
  const session = useContext(SessionContext)
  if (session === null) throw new TypeError('useSession is used outside of SessionContext')
  return session
}

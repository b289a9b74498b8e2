import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import type {
  AuditResource,
  ClientResource,
  ClientRoundResource,
  LedgerResource,
  ModelComparison,
  ModelResource,
  QuarantinedResource,
  RoundResource,
  RoundSummary,
  RunFormResource,
  RunResource,
  SessionResource,
  TokenResource,
} from '../../../shared/protocol/operator/resources.ts'
import { getAll, type Page } from './api.ts'
import { useApi } from './use-api.ts'

/** Entries of one page of a long list. */
const PAGE_SIZE = 50

export const useRuns = () => useList<RunResource>(['runs'], '/runs')
export const useClients = () => useList<ClientResource>(['clients'], '/clients')
export const useModels = (filters: Readonly<Record<string, string>>) =>
  usePages<ModelResource>(['models'], '/models', filters)
export const useQuarantine = () => useList<QuarantinedResource>(['quarantine'], '/quarantine')
/** Takes the role admin. */
export const useTokens = () => useList<TokenResource>(['tokens'], '/tokens')
export const useSessions = () => useList<SessionResource>(['sessions'], '/sessions')
export const useRun = (run: string) => useOne<RunResource>(['runs', run], `/runs/${run}`)
export const useRunForm = () => useOne<RunFormResource>(['run-form'], '/run-form')
export const useClient = (client: string) =>
  useOne<ClientResource>(['clients', client], `/clients/${client}`)

/** The curves of a run: every round that is over. Asks nothing without a run. */
export function useRounds(run: string | null) {
  const api = useApi()
  return useQuery({
    queryKey: ['rounds', run],
    queryFn: () => getAll<RoundSummary>(api, `/runs/${run ?? ''}/rounds`, { limit: 200 }),
    enabled: run !== null,
  })
}

export const useRound = (run: string, round: number) =>
  useOne<RoundResource>(['rounds', run, round], `/runs/${run}/rounds/${round}`)

export const useLedger = (run: string, round: number) =>
  useOne<LedgerResource>(['ledgers', run, round], `/runs/${run}/rounds/${round}/ledger`)

export const useAudit = (filters: Readonly<Record<string, string>>) =>
  usePages<AuditResource>(['audit'], '/audit', filters)

/** What a client did, round by round, newest first. */
export const useClientRounds = (client: string) =>
  usePages<ClientRoundResource>(['clients', client, 'rounds'], `/clients/${client}/rounds`)

/** Two models beside each other; asks nothing before there are two. */
export function useComparison(a: string, b: string) {
  const api = useApi()
  return useQuery({
    queryKey: ['models', a, b],
    queryFn: () => api.get<ModelComparison>('/models/compare', { a, b }),
    staleTime: Infinity,
  })
}

function useOne<Item>(queryKey: readonly (string | number)[], path: string) {
  const api = useApi()
  return useQuery({ queryKey, queryFn: () => api.get<Item>(path) })
}

function useList<Item>(queryKey: readonly string[], path: string) {
  const api = useApi()
  return useQuery({ queryKey, queryFn: () => getAll<Item>(api, path, { limit: 200 }) })
}

function usePages<Item>(
  queryKey: readonly string[],
  path: string,
  filters: Readonly<Record<string, string>> = {},
) {
  const api = useApi()
  return useInfiniteQuery({
    queryKey: [...queryKey, filters],
    queryFn: ({ pageParam }) =>
      api.get<Page<Item>>(path, { ...filters, limit: PAGE_SIZE, cursor: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
  })
}

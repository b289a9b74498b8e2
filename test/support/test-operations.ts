import { randomUUID } from 'node:crypto'
import type { Operations, OperationsListener } from '../../server/coordinator/operations.ts'
import { eventsAfter, parseEventId } from '../../server/coordinator/live/live-events.ts'
import type { Store } from '../../server/store/store.ts'
import { GraftError } from '../../shared/errors.ts'
import { RunId } from '../../shared/ids.ts'
import type { QuarantinedResource } from '../../shared/protocol/operator/resources.ts'
import type { ClientLane, FederationView } from '../../shared/protocol/operator/live.ts'

export const FEDERATION: FederationView = {
  version: '0',
  engine: 'test',
  since: '2026-01-01T00:00:00.000Z',
  staysForRuns: true,
  run: null,
  isPaused: false,
  round: null,
  clients: { connected: 0, known: 0, banned: 0, quarantined: 0 },
  globalModel: null,
  lastEventId: '0.0',
}

/** A coordinator that agrees to everything, and notes it; its lists are the store's. */
export function createTestOperations(store: Store) {
  const listeners = new Set<OperationsListener>()
  const asked: unknown[][] = []
  const state = {
    federation: FEDERATION,
    lanes: [] as ClientLane[],
    quarantine: [] as QuarantinedResource[],
  }
  const note =
    (name: string) =>
    async (...args: unknown[]): Promise<void> => {
      asked.push([name, ...args])
    }
  const operations: Operations = {
    federation: () => state.federation,
    lanes: () => state.lanes,
    lane: (client) => state.lanes.find((it) => it.client === client) ?? null,
    eventsAfter: async (id, limit, only) => {
      const place = parseEventId(id)
      if (place === null) throw new GraftError('GRAFT_OPTION_INVALID', `${id} is no event.`)
      return eventsAfter(store, place, { limit, ...(only && { only }) })
    },
    createRun: async (settings, by) => {
      asked.push(['createRun', settings, by])
      const id = RunId.parse(randomUUID())
      await store.queueRun(id, settings)
      return id
    },
    pause: note('pause'),
    resume: note('resume'),
    endRound: note('endRound'),
    stop: note('stop'),
    retry: async (run, by) => {
      asked.push(['retry', run, by])
      return run
    },
    ban: async (client, reason, by) => {
      asked.push(['ban', client, reason, by])
      await store.banClient({ client, reason, by })
    },
    release: async (client, by) => {
      asked.push(['release', client, by])
      await store.releaseClient(client)
    },
    tokenRevoked: note('tokenRevoked'),
    chooseModel: note('chooseModel'),
    quarantine: async () => state.quarantine,
    releaseUpload: note('releaseUpload'),
    removeUpload: note('removeUpload'),
    listen: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  return {
    operations,
    asked,
    state,
    tell: (what: (listener: OperationsListener) => void) => {
      listeners.forEach(what)
    },
  }
}

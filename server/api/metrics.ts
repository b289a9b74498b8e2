import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { z } from 'zod'
import type { ClientId } from '../../shared/ids.ts'
import { CLIENT_STATES, ROUND_PHASES } from '../../shared/protocol/operator/live.ts'
import { type ApiApp, BINARY, of, sendBytes } from './api-app.ts'
import type { ApiContext } from './api-context.ts'

/** What `/metrics` tells, kept up to date by listening. */
export interface Metrics {
  readonly close: () => void
}

/** Adds `/metrics` for Prometheus, for viewers: a scraper sends a viewer's token as its bearer token. */
export function addMetrics(app: ApiApp, { operations, store }: ApiContext): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  const requests = new Histogram({
    name: 'graft_http_request_duration_seconds',
    help: 'Requests to the API, by route and status',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers,
  })
  const rounds = new Counter({
    name: 'graft_rounds_total',
    help: 'Rounds that are over, by how they ended',
    labelNames: ['outcome'] as const,
    registers,
  })
  const uploads = new Counter({
    name: 'graft_uploads_total',
    help: 'Updates that were accepted',
    registers,
  })
  const quarantines = new Counter({
    name: 'graft_quarantine_changes_total',
    help: 'Uploads that were set aside, let in or removed',
    registers,
  })
  const bytes = new Counter({
    name: 'graft_upload_bytes_total',
    help: 'Bytes of updates that came in',
    registers,
  })
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Gauge({ name, help, labelNames, registers })
  const clients = gauge('graft_clients', 'Clients, by what they are at', ['state'])
  const members = gauge('graft_members', 'Clients that are known, connected, banned', ['kind'])
  const phase = gauge('graft_round_phase', '1 for the phase of the round that goes on', ['phase'])
  const round = gauge('graft_round', 'Number of the round that goes on; 0: none')
  const updates = gauge('graft_round_updates', 'Updates of the round that goes on')
  const quarantined = gauge('graft_quarantined', 'Uploads that are set aside')
  const queued = gauge('graft_runs_queued', 'Runs that wait for their turn')
  const isPaused = gauge('graft_paused', '1 while the next round waits for an operator')

  /** Bytes of each client's update that are counted, of this round. */
  const counted = new Map<ClientId, number>()
  function countBytes(client: ClientId): void {
    const receivedBytes = operations.lane(client)?.receivedBytes ?? 0
    bytes.inc(Math.max(0, receivedBytes - (counted.get(client) ?? 0)))
    counted.set(client, receivedBytes)
  }

  const stopListening = operations.listen({
    // Told of every step of every client: what it does here, a round does as often as it has clients.
    federationChanged: () => undefined,
    laneChanged: countBytes,
    eventAppended({ type, phase: after }) {
      if (type === 'update-received') uploads.inc()
      if (after === 'published' || after === 'failed') rounds.inc({ outcome: after })
    },
    resourceChanged(resource) {
      if (resource === 'quarantine') quarantines.inc()
      if (resource === 'rounds') counted.clear()
    },
  })

  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    const labels = { method: request.method, route, status: reply.statusCode }
    requests.observe(labels, reply.elapsedTime / 1000)
  })

  async function refresh(): Promise<void> {
    const federation = operations.federation()
    const states = new Map<string, number>(CLIENT_STATES.map((state) => [state, 0]))
    for (const { state } of operations.lanes()) states.set(state, (states.get(state) ?? 0) + 1)
    for (const [state, n] of states) clients.set({ state }, n)
    for (const kind of ['connected', 'known', 'banned'] as const) {
      members.set({ kind }, federation.clients[kind])
    }
    quarantined.set(federation.clients.quarantined)
    for (const each of ROUND_PHASES) {
      phase.set({ phase: each }, federation.round?.phase === each ? 1 : 0)
    }
    round.set(federation.round?.round ?? 0)
    updates.set(federation.round?.updates ?? 0)
    isPaused.set(federation.isPaused ? 1 : 0)
    queued.set((await store.lists.runs({ status: 'queued', limit: 1000 })).length)
  }

  app.get(
    '/metrics',
    of('viewer', {
      tags: ['operations'],
      summary: 'Numbers for Prometheus',
      querystring: z.object({}),
      response: { 200: BINARY('text/plain', 'in the text format of Prometheus') },
    }),
    async (_request, reply) => {
      await refresh()
      return sendBytes(reply.type(registry.contentType), await registry.metrics())
    },
  )

  return { close: stopListening }
}

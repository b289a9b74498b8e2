import cookie from '@fastify/cookie'
import type { RequestListener } from 'node:http'
import { SILENT } from '../../shared/log/log.ts'
import type { SocketServer } from '../gateway/socket-server.ts'
import { createAccessWatch } from './access-watch.ts'
import { type ApiApp, createApiApp } from './api-app.ts'
import type { ApiContext } from './api-context.ts'
import { addConsoleFiles } from './console-files.ts'
import { addGuard } from './guard.ts'
import { healthRoutes } from './health.ts'
import { addMetrics } from './metrics.ts'
import { addOpenApi } from './openapi.ts'
import { isDenial } from './problems.ts'
import { referenceRoutes } from './reference/reference-routes.ts'
import { logRequests } from './log-requests.ts'
import { createRefusalLog } from './refusal-log.ts'
import { auditRoutes } from './routes/audit.ts'
import { clientRoutes } from './routes/clients.ts'
import { federationRoutes } from './routes/federation.ts'
import { modelFileRoutes } from './routes/model-files.ts'
import { modelRoutes } from './routes/models.ts'
import { quarantineRoutes } from './routes/quarantine.ts'
import { roundRoutes } from './routes/rounds.ts'
import { runRoutes } from './routes/runs.ts'
import { startFeed } from './start-feed.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { tokenRoutes } from './routes/tokens.ts'
import { addSecurity } from './security-headers.ts'
import { createSignInLimit } from './sign-in-limit.ts'
import { createWishes } from './wishes.ts'

/** The operators' API, ready to answer. */
export interface Api {
  /** For the HTTP server of the process. */
  readonly listener: RequestListener
  readonly close: () => Promise<void>
}

/** Puts the API together; it never listens by itself. The caller closes it. */
export async function startApi(context: ApiContext, sockets: SocketServer): Promise<Api> {
  const { store, onFault, log = SILENT } = context
  const refusals = createRefusalLog((entry) => store.audit(entry), onFault)
  const watch = createAccessWatch()
  const wishes = createWishes(store.requests)
  const app = createApiApp({
    log,
    onFault,
    onRefusal: (request, error) => {
      if (!isDenial(error)) return
      const { method, routeOptions, identity, ip } = request
      refusals.note({
        actor: identity?.actor ?? 'operator:unknown',
        address: ip,
        code: error.code,
        route: `${method} ${routeOptions.url ?? 'unknown'}`,
      })
    },
    sendPage: (request, reply) => sendPage(request, reply),
  })

  logRequests(app, log)
  await addSecurity(app)
  await app.register(cookie)
  addGuard(app, store)
  await addOpenApi(app)
  const metrics = addMetrics(app, context)
  healthRoutes(app, context)
  await app.register(
    async (scope) => {
      const v1 = scope as unknown as ApiApp
      federationRoutes(v1, context)
      runRoutes(v1, context, wishes)
      roundRoutes(v1, context)
      clientRoutes(v1, context, wishes)
      modelRoutes(v1, context, wishes)
      modelFileRoutes(v1, context)
      quarantineRoutes(v1, context, wishes)
      tokenRoutes(v1, context, { wishes, watch })
      sessionRoutes(v1, context, { limit: createSignInLimit(), watch })
      auditRoutes(v1, context)
      referenceRoutes(v1)
    },
    { prefix: '/api/v1' },
  )
  const sendPage = await addConsoleFiles(app, context.consoleFolder)
  await app.ready()
  const stopFeed = startFeed(context, sockets, { refusals, watch })

  return {
    listener: (request, response) => app.routing(request, response),
    async close() {
      stopFeed()
      metrics.close()
      await app.close()
      await refusals.close()
    },
  }
}

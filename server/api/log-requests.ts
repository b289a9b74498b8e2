import type { Log } from '../../shared/log/log.ts'
import type { ApiApp } from './api-app.ts'

/** A line for each answer: by the pattern of its route, as an address may hold what is nobody's business. */
export function logRequests(app: ApiApp, log: Log): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method, identity, routeOptions, id } = request
    const line = {
      event: 'api:answered',
      request: id,
      method,
      route: routeOptions.url ?? 'none',
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime),
      actor: identity?.actor,
    }
    if (reply.statusCode >= 500) log.error(line)
    else if (method === 'GET' || method === 'HEAD') log.debug(line)
    else log.info(line)
  })
}

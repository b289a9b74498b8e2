import { createHttpHost, type ListenPlace } from '../listen.ts'
import { attachGateway } from './attach-gateway.ts'
import type { AttachOptions, Gateway, GatewayHandlers } from './gateway.ts'
import { closeSockets, createSocketServer } from './socket-server.ts'

export interface GatewayOptions extends AttachOptions, ListenPlace {}

/** A gateway on an HTTP server of its own. */
export interface ListeningGateway extends Gateway {
  readonly url: string
}

/**
 * Listens for clients and nobody else. The caller owns the gateway and closes it.
 *
 * @throws GraftError GRAFT_PORT_BUSY, GRAFT_OPTION_INVALID when `host` is no address of this machine
 */
export async function startGateway(
  handlers: GatewayHandlers,
  options: GatewayOptions,
): Promise<ListeningGateway> {
  const http = createHttpHost(options)
  const sockets = createSocketServer(http.server)
  const gateway = await attachGateway(sockets, handlers, options)
  return {
    ...gateway,
    url: await http.listen(),
    async close() {
      await gateway.close()
      await closeSockets(sockets, http.server)
    },
  }
}

import { createHttpHost, type ListenPlace } from '../listen.ts'
import type { TlsContext } from '../tls/tls-context.ts'
import { attachGateway } from './attach-gateway.ts'
import type { AttachOptions, Gateway, GatewayHandlers } from './gateway.ts'
import { closeSockets, createSocketServer } from './socket-server.ts'

export interface GatewayOptions extends AttachOptions, ListenPlace {
  /** @default without TLS */
  readonly tls?: TlsContext
}

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
  const { tls = null } = options
  const http = createHttpHost(options, tls)
  const sockets = createSocketServer(http.server)
  const gateway = await attachGateway(sockets, handlers, {
    asksCertificate: tls?.asksClients === true,
    ...options,
  })
  return {
    ...gateway,
    url: await http.listen(),
    async close() {
      await gateway.close()
      await closeSockets(sockets, http.server)
    },
  }
}

import type { Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import { type DefaultEventsMap, Server } from 'socket.io'
import type { ClientId } from '../../shared/ids.ts'
import {
  type ClientToServer,
  MAX_MESSAGE_BYTES,
  PING_INTERVAL_MS,
  type ServerToClient,
} from '../../shared/protocol/messages.ts'
import { msgpackParser } from '../../shared/protocol/msgpack-parser.ts'

/** A client that trains blocks its event loop for a step at a time, so answers to pings may be slow. */
const PING_TIMEOUT_MS = 60_000

/** The one socket.io server of a process: clients are in its default namespace. */
export type SocketServer = Server<
  ClientToServer,
  ServerToClient,
  DefaultEventsMap,
  { client: ClientId }
>

/** Takes connections of `http`; the caller closes it with {@link closeSockets}. */
export function createSocketServer(http: HttpServer | HttpsServer): SocketServer {
  return new Server(http, {
    parser: msgpackParser,
    transports: ['websocket'],
    serveClient: false,
    maxHttpBufferSize: MAX_MESSAGE_BYTES,
    pingInterval: PING_INTERVAL_MS,
    pingTimeout: PING_TIMEOUT_MS,
  })
}

/** Ends all connections, of sockets and of requests, and the HTTP server with them. */
export async function closeSockets(
  sockets: SocketServer,
  http: HttpServer | HttpsServer,
): Promise<void> {
  const closed = sockets.close()
  http.closeAllConnections()
  await closed
}

import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type DefaultEventsMap, Server } from 'socket.io'
import { z } from 'zod'
import { GraftError, toGraftError } from '../../shared/errors.ts'
import { type ClientId, compareIds } from '../../shared/ids.ts'
import {
  ClientAuth,
  type ClientToServer,
  MAX_MESSAGE_BYTES,
  PROTOCOL_VERSION,
  type ServerToClient,
} from '../../shared/protocol/messages.ts'
import { msgpackParser } from '../../shared/protocol/msgpack-parser.ts'
import { parseMessage } from '../../shared/protocol/refusal.ts'
import { answerClient, type ClientSocket, endConnection, toClientError } from './client-events.ts'
import type { Gateway, GatewayHandlers, GatewayOptions } from './gateway.ts'
import { createUploads } from './uploads.ts'

/** A client that trains blocks its event loop for a step at a time, so answers to pings may be slow. */
const PING_INTERVAL_MS = 20_000
const PING_TIMEOUT_MS = 60_000

/** Longest wait at the end for clients that do not take what was said last. */
const FAREWELL_MS = 2_000

/**
 * Listens for clients. The caller owns the gateway and closes it.
 *
 * @throws GraftError GRAFT_PORT_BUSY, GRAFT_OPTION_INVALID when `host` is no address of this machine
 */
export async function startGateway(
  handlers: GatewayHandlers,
  options: GatewayOptions,
): Promise<Gateway> {
  await mkdir(options.uploadFolder, { recursive: true })
  const onFault = options.onFault ?? (() => undefined)
  const uploads = createUploads(options.uploadFolder, handlers)
  const sockets = new Map<ClientId, ClientSocket>()

  const http = createServer((_request, response) => response.writeHead(404).end())
  const io = new Server<ClientToServer, ServerToClient, DefaultEventsMap, { client: ClientId }>(
    http,
    {
      parser: msgpackParser,
      transports: ['websocket'],
      serveClient: false,
      maxHttpBufferSize: MAX_MESSAGE_BYTES,
      pingInterval: PING_INTERVAL_MS,
      pingTimeout: PING_TIMEOUT_MS,
    },
  )

  let isClosing = false
  io.use((socket, next) => {
    if (isClosing) return next(toConnectError(shuttingDown()))
    admit(socket.handshake.auth, handlers).then(
      (client) => {
        socket.data.client = client
        next()
      },
      (error: unknown) => next(toConnectError(toClientError(error, onFault))),
    )
  })

  io.on('connection', (socket) => {
    const { client } = socket.data
    const older = sockets.get(client)
    sockets.set(client, socket)
    if (older !== undefined) endConnection(older, replaced(client))
    socket.on('disconnect', () => {
      if (sockets.get(client) !== socket) return
      sockets.delete(client)
      handlers.onLeft(client)
    })
    // A message that is no MessagePack: socket.io closes the connection by itself.
    socket.on('error', () => undefined)
    answerClient(socket, { handlers, uploads, onFault })
  })

  const forget = (round: Parameters<typeof uploads.discard>[0]) => {
    uploads.discard(round).catch((error: unknown) => onFault(toGraftError(error)))
  }

  await listen(http, options)
  return {
    url: urlOf(http),
    connected: () => [...sockets.keys()].sort(compareIds),
    invite: (client, message) => {
      sockets.get(client)?.emit('round:invited', message)
    },
    published: (message) => {
      forget(message.round)
      io.emit('round:published', message)
    },
    failed: (message) => {
      forget(message.round)
      io.emit('round:failed', message)
    },
    finished: (message) => {
      forget(null)
      io.emit('run:finished', message)
    },
    disconnect: (client, reason = dismissed(client)) => {
      const socket = sockets.get(client)
      if (socket !== undefined) endConnection(socket, reason)
    },
    async close() {
      isClosing = true
      await hangUp([...sockets.values()])
      await io.close()
      // What a client has sent is stored or refused, never half of it.
      await uploads.idle()
    },
  }
}

/**
 * Closes connections behind what was said last: `io.close()` alone would discard it. To the clients they
 * are broken, not ended, so that they come back when the coordinator does.
 */
async function hangUp(sockets: readonly ClientSocket[]): Promise<void> {
  const gone = sockets.map((socket) => {
    const disconnected = new Promise<void>((resolve) => {
      socket.once('disconnect', () => {
        resolve()
      })
    })
    socket.conn.close()
    return disconnected
  })
  const farewell = new AbortController()
  const enough = delay(FAREWELL_MS, undefined, { signal: farewell.signal }).catch(() => undefined)
  await Promise.race([Promise.all(gone), enough])
  farewell.abort()
}

async function admit(auth: unknown, handlers: GatewayHandlers): Promise<ClientId> {
  // The version first: another one may have other fields.
  const { protocol } = parseMessage('handshake', z.looseObject({ protocol: z.int() }), auth)
  if (protocol !== PROTOCOL_VERSION) {
    throw new GraftError(
      'GRAFT_PROTOCOL_VERSION',
      `The client speaks protocol ${protocol}, the coordinator ${PROTOCOL_VERSION}.`,
    )
  }
  return handlers.admit(parseMessage('handshake', ClientAuth, auth))
}

/** How socket.io carries a refusal of the handshake: in `data` of the client's connect_error. */
function toConnectError({ code, message }: GraftError): Error {
  return Object.assign(new Error(message), { data: { ok: false, code, message } })
}

function shuttingDown(): GraftError {
  return new GraftError('GRAFT_SERVER_UNREACHABLE', 'The coordinator is shutting down.')
}

function replaced(client: ClientId): GraftError {
  return new GraftError('GRAFT_CLIENT_NAME_TAKEN', `A newer connection as ${client} took over.`)
}

function dismissed(client: ClientId): GraftError {
  return new GraftError('GRAFT_TOKEN_INVALID', `The operator ended the connection of ${client}.`)
}

async function listen(http: HttpServer, { host, port }: GatewayOptions): Promise<void> {
  http.listen(port, host)
  try {
    await once(http, 'listening')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE' || code === 'EACCES') {
      throw new GraftError('GRAFT_PORT_BUSY', `Port ${port} of ${host} is taken.`, { cause: error })
    }
    const problem = `Cannot listen on ${host}: it is no address of this machine.`
    throw new GraftError('GRAFT_OPTION_INVALID', problem, { cause: error })
  }
}

function urlOf(http: HttpServer): string {
  const { address, port, family } = http.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

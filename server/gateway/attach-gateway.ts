import { setMaxListeners } from 'node:events'
import { mkdir } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { GraftError, toGraftError } from '../../shared/errors.ts'
import { type ClientId, compareIds } from '../../shared/ids.ts'
import { SILENT } from '../../shared/log/log.ts'
import { ClientAuth, PROTOCOL_VERSION } from '../../shared/protocol/messages.ts'
import { parseMessage, toRefusal } from '../../shared/protocol/refusal.ts'
import { answerClient, type ClientSocket, endConnection, toClientError } from './client-events.ts'
import { createClientLog } from './client-log.ts'
import type { AttachOptions, Gateway, GatewayHandlers } from './gateway.ts'
import { createGatewayLimiter } from './gateway-limits.ts'
import { createWrongTokens } from './wrong-tokens.ts'
import { identify, type Peer, peerOf } from './peer.ts'
import type { SocketServer } from './socket-server.ts'
import { createUploads } from './uploads.ts'

/** Longest wait at the end for clients that do not take what was said last. */
const FAREWELL_MS = 2_000

/**
 * Answers clients that connect to `sockets`. The caller owns the gateway and closes it; the sockets stay the caller's.
 */
export async function attachGateway(
  sockets: SocketServer,
  handlers: GatewayHandlers,
  options: AttachOptions,
): Promise<Gateway> {
  await mkdir(options.uploadFolder, { recursive: true })
  const onFault = options.onFault ?? (() => undefined)
  const log = createClientLog(options.log ?? SILENT)
  const uploads = createUploads(options.uploadFolder, handlers)
  const connections = new Map<ClientId, ClientSocket>()

  const limiter = createGatewayLimiter(options.limits)
  const wrongTokens = createWrongTokens()
  const closing = new AbortController()
  // Each refusal that waits listens, and there may be many.
  setMaxListeners(0, closing.signal)

  let isClosing = false
  sockets.use((socket, next) => {
    if (isClosing) return next(toConnectError(shuttingDown()))
    admit(socket).then(
      (client) => {
        socket.data.client = client
        next()
      },
      async (error: unknown) => {
        const refusal = toClientError(error, onFault)
        log.refused(peerOf(socket.request.socket).address, refusal)
        if (refusal.code === 'GRAFT_TOKEN_INVALID') await holdBack(socket)
        next(toConnectError(refusal))
      },
    )
  })

  async function admit(socket: ClientSocket): Promise<ClientId> {
    const wire = socket.request.socket
    const peer = peerOf(wire)
    refuseFor(limiter.connect(peer.address), 'Too many attempts to connect from this address.')
    if (!limiter.spares(peer.address)) {
      refuseFor(wrongTokens.crowding(peer.address), 'Too many wrong tokens from this address.')
    }
    const auth = parseAuth(socket.handshake.auth)
    const known = named(auth, wire, peer)
    refuseFor(limiter.join(auth.token, known.name ?? ''), 'Too many attempts to connect.')
    return handlers.admit(known, peer)
  }

  /** Whoever guesses tokens waits for each answer. */
  async function holdBack(socket: ClientSocket): Promise<void> {
    const { address } = peerOf(socket.request.socket)
    if (limiter.spares(address)) return
    await wrongTokens.wait(address, wrongTokens.delayOf(address), closing.signal)
  }

  function named(auth: ClientAuth, wire: Socket, peer: Peer): ClientAuth {
    try {
      return identify(auth, wire, options.asksCertificate === true)
    } catch (error) {
      options.onRefused?.({ ...peer, name: auth.name, error: toGraftError(error) })
      throw error
    }
  }

  sockets.on('connection', (socket) => {
    const { client } = socket.data
    const older = connections.get(client)
    connections.set(client, socket)
    log.connected(socket)
    if (older !== undefined) endConnection(older, replaced(client))
    options.onConnections?.()
    socket.on('disconnect', (reason) => {
      log.disconnected(socket, reason)
      if (connections.get(client) !== socket) return
      connections.delete(client)
      handlers.onLeft(client)
      options.onConnections?.()
    })
    // A message that is no MessagePack: socket.io closes the connection by itself.
    socket.on('error', () => undefined)
    answerClient(socket, { handlers, uploads, limiter, onFault, log })
  })

  const forget = (round: Parameters<typeof uploads.discard>[0]) => {
    uploads.discard(round).catch((error: unknown) => onFault(toGraftError(error)))
  }

  return {
    connected: () => [...connections.keys()].sort(compareIds),
    invite: (client, message) => {
      log.invited(client, connections.get(client)?.id, message)
      connections.get(client)?.emit('round:invited', message)
    },
    published: (message) => {
      log.told('round:published', message)
      forget(message.round)
      sockets.emit('round:published', message)
    },
    failed: (message) => {
      log.told('round:failed', message)
      forget(message.round)
      sockets.emit('round:failed', message)
    },
    finished: (message) => {
      log.told('run:finished', message)
      forget(null)
      sockets.emit('run:finished', message)
    },
    disconnect: (client, reason = dismissed(client)) => {
      const socket = connections.get(client)
      if (socket !== undefined) endConnection(socket, reason)
    },
    async close() {
      isClosing = true
      closing.abort()
      sockets.emit('coordinator:leaving', {})
      await hangUp([...connections.values()])
      // What a client has sent is stored or refused, never half of it.
      await uploads.idle()
    },
  }
}

/**
 * Closes connections behind what was said last: closing socket.io alone would discard it. To the clients they
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
  for (const socket of sockets) if (socket.connected) socket.conn.close(true)
}

function parseAuth(auth: unknown): ClientAuth {
  // The version first: another one may have other fields.
  const { protocol } = parseMessage('handshake', z.looseObject({ protocol: z.int() }), auth)
  if (protocol !== PROTOCOL_VERSION) {
    throw new GraftError(
      'GRAFT_PROTOCOL_VERSION',
      `The client speaks protocol ${protocol}, the coordinator ${PROTOCOL_VERSION}.`,
    )
  }
  return parseMessage('handshake', ClientAuth, auth)
}

/** How socket.io carries a refusal of the handshake: in `data` of the client's connect_error. */
function toConnectError(error: GraftError): Error {
  return Object.assign(new Error(error.message), { data: toRefusal(error) })
}

/** @throws GraftError GRAFT_RATE_LIMITED when there is something to wait for */
function refuseFor(seconds: number, problem: string): void {
  if (seconds === 0) return
  throw new GraftError('GRAFT_RATE_LIMITED', problem, { retryAfterSeconds: seconds })
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

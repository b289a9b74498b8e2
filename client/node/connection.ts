import { setTimeout as delay } from 'node:timers/promises'
import { Manager, type Socket } from 'socket.io-client'
import { type ErrorCode, GraftError, toGraftError } from '../../shared/errors.ts'
import {
  type ClientAuth,
  type ClientProgress,
  type ClientToServer,
  ConnectionClosed,
  CoordinatorLeaving,
  PING_INTERVAL_MS,
  PROTOCOL_VERSION,
  Refusal,
  Reply,
  RoundFailed,
  RoundInvited,
  RoundPublished,
  RunFinished,
  type ServerToClient,
} from '../../shared/protocol/messages.ts'
import { msgpackParser } from '../../shared/protocol/msgpack-parser.ts'
import { fromRefusal, type MessageSchema, parseMessage } from '../../shared/protocol/refusal.ts'
import { type ClientTls, tlsOptions } from './client-tls.ts'
import { transportFault } from './transport-fault.ts'
import { watchSilence } from './watch-silence.ts'

/** Two pings are missing: the coordinator may hang. */
const SILENCE_MS = 2.5 * PING_INTERVAL_MS
/** Longest wait for an answer; a commit waits until the update is verified and journalled. */
const ANSWER_TIMEOUT_MS = 120_000
const FIRST_RECONNECT_MS = 250
/** A restarted coordinator may need only seconds to end its run: longer pauses would miss that. */
const SLOWEST_RECONNECT_MS = 2_000

/** A coordinator that refuses for one of these may admit the same client a moment later. */
const PASSING_REFUSALS: readonly ErrorCode[] = [
  'GRAFT_DATABASE_UNAVAILABLE',
  'GRAFT_DATABASE_BUSY',
  'GRAFT_SERVER_UNREACHABLE',
  'GRAFT_RATE_LIMITED',
  'GRAFT_INTERNAL',
]

/** What a client is told without asking; `connected` comes after every (re)connect. */
export type News =
  | { readonly type: 'connected' }
  | ({ readonly type: 'round:invited' } & RoundInvited)
  | ({ readonly type: 'round:published' } & RoundPublished)
  | ({ readonly type: 'round:failed' } & RoundFailed)
  | ({ readonly type: 'run:finished' } & RunFinished)
  | { readonly type: 'coordinator:leaving' }

export interface ConnectionOptions {
  /** One or more, as in `http://127.0.0.1:7300`; each attempt to connect tries the next one. */
  readonly servers: readonly string[]
  readonly auth: Omit<ClientAuth, 'protocol'>
  /** For https:// addresses. @default the authorities that Node knows, and no certificate */
  readonly tls?: ClientTls
  /** Seconds without a connection after which the coordinator counts as unreachable. */
  readonly retrySeconds: number
  /** Milliseconds without a word after which another coordinator is looked for. @default two and a half pings */
  readonly silenceMs?: number
  readonly onNews: (news: News) => void
}

/** A connection that comes back by itself, until it is over. */
export interface Connection {
  /** Aborted when the connection is over for good; the reason is the GraftError that says why. */
  readonly over: AbortSignal
  /**
   * Sends one message, as soon as there is a connection, and waits for the answer.
   *
   * @param answer schema of the answer, without its `ok`
   * @throws ConnectionLost when the connection broke before the answer: nobody knows whether it arrived
   * @throws GraftError the refusal, or the reason why the connection is over
   */
  request<Body>(
    event: Exclude<keyof ClientToServer, 'client:progress'>,
    message: object,
    answer: MessageSchema<Body>,
  ): Promise<Body>
  /** What the coordinator calls the connection of now; undefined while there is none. */
  readonly id: () => string | undefined
  /** Sends what may be lost. */
  notify(progress: ClientProgress): void
  readonly close: () => void
}

/** The connection broke before an answer came; sending again after the reconnect is up to the caller. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

/** Starts to connect; the caller owns the connection and closes it. */
export function connect(options: ConnectionOptions): Connection {
  const over = new AbortController()
  const auth: ClientAuth = { protocol: PROTOCOL_VERSION, ...options.auth }
  const servers = options.servers.map(addressOf)
  const named = options.servers.join(', ')
  // A manager of its own: many clients of one process must not share a connection.
  const manager = new Manager<ServerToClient, ClientToServer>({
    ...servers[0]!,
    ...tlsOptions(options.tls),
    parser: msgpackParser,
    transports: ['websocket'],
    reconnectionDelay: FIRST_RECONNECT_MS,
    reconnectionDelayMax: SLOWEST_RECONNECT_MS,
  })
  let attempts = 0
  const turn = () => void Object.assign(manager.opts, servers[++attempts % servers.length])
  const silence = watchSilence({
    ...{ servers: options.servers, tls: options.tls, silenceMs: options.silenceMs ?? SILENCE_MS },
    current: () => (socket.connected ? attempts % servers.length : null),
    onLeft(place) {
      // It reconnects to the next one.
      attempts = place - 1 + servers.length
      hangUp()
    },
  })
  manager.on('open', () => {
    silence.heard()
    manager.engine.on('packet', silence.heard)
  })
  manager.on('reconnect_attempt', turn)
  const socket: Socket<ServerToClient, ClientToServer> = manager.socket('/', { auth })

  /** At once, and then socket.io reconnects; closing its engine would first wait until all that was sent is taken. */
  function hangUp(): void {
    manager.engine.transport.close()
  }

  let patience = startPatience()
  let wasConnected = false
  /** Of attempts one after the other; that of each address when there are as many. */
  let faults: GraftError[] = []

  function startPatience(waitSeconds = 0): NodeJS.Timeout {
    return setTimeout(
      () => {
        const problem = `No connection to ${named} within ${options.retrySeconds} s.`
        end(faults.at(-1) ?? new GraftError('GRAFT_SERVER_UNREACHABLE', problem))
      },
      (waitSeconds + options.retrySeconds) * 1000,
    )
  }

  /** What is wrong with TLS at the start stays wrong; later a certificate may be renewed in time. */
  function heedFault(error: Error): void {
    const fault = transportFault(error, options.servers[attempts % servers.length]!)
    faults = fault === null ? [] : [...faults, fault].slice(-servers.length)
    if (fault !== null && !wasConnected && faults.length === servers.length) end(fault)
  }

  function end(reason: GraftError): void {
    clearTimeout(patience)
    silence.stop()
    over.abort(reason)
    socket.disconnect()
  }

  socket.on('connect', () => {
    clearTimeout(patience)
    wasConnected = true
    faults = []
    options.onNews({ type: 'connected' })
  })
  socket.on('disconnect', (reason) => {
    if (over.signal.aborted) return
    if (reason === 'io server disconnect') end(dismissed(named))
    else patience = startPatience()
  })
  socket.on('connect_error', (error: Error & { data?: unknown }) => {
    const refusal = Refusal.safeParse(error.data)
    // No answer at all: socket.io tries again by itself.
    if (!refusal.success) return heedFault(error)
    const { code, retryAfterSeconds = 0 } = refusal.data
    if (!PASSING_REFUSALS.includes(code)) return end(fromRefusal(refusal.data))
    if (code === 'GRAFT_RATE_LIMITED') {
      // It is there, and says when to come.
      clearTimeout(patience)
      patience = startPatience(retryAfterSeconds)
    }
    setTimeout(connectAgain, Math.max(FIRST_RECONNECT_MS, retryAfterSeconds * 1000))
  })
  socket.on('connection:closed', (message) => {
    guard(() => end(fromRefusal(parseMessage('connection:closed', ConnectionClosed, message))))
  })

  function connectAgain(): void {
    if (over.signal.aborted) return
    turn()
    socket.connect()
  }

  const tell = (read: (message: unknown) => News) => (message: unknown) => {
    guard(() => options.onNews(read(message)))
  }
  socket.on(
    'round:invited',
    tell((message) => ({
      type: 'round:invited',
      ...parseMessage('round:invited', RoundInvited, message),
    })),
  )
  socket.on(
    'round:published',
    tell((message) => ({
      type: 'round:published',
      ...parseMessage('round:published', RoundPublished, message),
    })),
  )
  socket.on(
    'round:failed',
    tell((message) => ({
      type: 'round:failed',
      ...parseMessage('round:failed', RoundFailed, message),
    })),
  )
  socket.on(
    'run:finished',
    tell((message) => ({
      type: 'run:finished',
      ...parseMessage('run:finished', RunFinished, message),
    })),
  )

  socket.on(
    'coordinator:leaving',
    tell((message) => ({
      type: 'coordinator:leaving',
      ...parseMessage('coordinator:leaving', CoordinatorLeaving, message),
    })),
  )

  /** A coordinator that sends what it must not is none to stay with. */
  function guard(act: () => void): void {
    try {
      act()
    } catch (error) {
      end(toGraftError(error))
    }
  }

  function connected(): Promise<void> {
    if (over.signal.aborted) return Promise.reject(over.signal.reason as GraftError)
    if (socket.connected) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const onConnect = () => {
        over.signal.removeEventListener('abort', onOver)
        resolve()
      }
      const onOver = () => {
        socket.off('connect', onConnect)
        reject(over.signal.reason as GraftError)
      }
      socket.once('connect', onConnect)
      over.signal.addEventListener('abort', onOver, { once: true })
    })
  }

  async function request<Body>(
    event: Exclude<keyof ClientToServer, 'client:progress'>,
    message: object,
    answer: MessageSchema<Body>,
  ): Promise<Body> {
    for (;;) {
      await connected()
      const reply: unknown = await socket
        .timeout(ANSWER_TIMEOUT_MS)
        .emitWithAck(event, message)
        .catch((cause: unknown) => {
          // No answer on an open connection: a half-open one. Closing it makes socket.io reconnect.
          if (socket.connected) hangUp()
          throw new ConnectionLost(`The connection broke during ${event}.`, { cause })
        })
      const { ok, ...body } = parseMessage(`answer to ${event}`, Reply, reply)
      if (ok) return parseMessage(`answer to ${event}`, answer, body)
      const refusal = parseMessage(`answer to ${event}`, Refusal, reply)
      if (refusal.code !== 'GRAFT_RATE_LIMITED') throw fromRefusal(refusal)
      await pause(refusal.retryAfterSeconds)
    }
  }

  /** Until the coordinator wants to hear more of this client, or nothing any more. */
  async function pause(seconds = 1): Promise<void> {
    await delay(seconds * 1000, undefined, { signal: over.signal }).catch(() => undefined)
  }

  return {
    over: over.signal,
    id: () => socket.id,
    request,
    notify: (progress) => {
      if (socket.connected) socket.volatile.emit('client:progress', progress)
    },
    close: () => end(new GraftError('GRAFT_SERVER_UNREACHABLE', 'This client left.')),
  }
}

/** As engine.io wants it, in parts that can be exchanged. */
function addressOf(server: string): { hostname: string; port: string; secure: boolean } {
  const { protocol, hostname, port } = new URL(server)
  const secure = protocol === 'https:'
  return {
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port: port || (secure ? '443' : '80'),
    secure,
  }
}

function dismissed(server: string): GraftError {
  return new GraftError('GRAFT_SERVER_UNREACHABLE', `${server} ended the connection.`)
}

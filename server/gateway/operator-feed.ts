import type { IncomingHttpHeaders } from 'node:http'
import type { DefaultEventsMap, Namespace, Server, Socket } from 'socket.io'
import { type GraftError, toGraftError } from '../../shared/errors.ts'
import type { ClientId } from '../../shared/ids.ts'
import { comesAfter } from '../../shared/protocol/operator/event-order.ts'
import {
  type ChangedResource,
  type ClientLane,
  type FederationView,
  type LiveEvent,
  OperatorAuth,
  type OperatorNews,
} from '../../shared/protocol/operator/live.ts'
import { parseMessage } from '../../shared/protocol/refusal.ts'

export const OPERATOR_NAMESPACE = '/operator'

/** News that only tell of a state are told four times a second at most. */
const TICK_MS = 250
/** Access is looked at again so often, for what has ended in another process. */
const RECHECK_MS = 10_000
/** Missed events that are read at a time. */
const CHUNK = 200
/** An operator for whom so many messages wait is cut off: it comes back and says what it heard last. */
const MOST_WAITING = 2_000

/** What the feed asks of the API and of the coordinator. */
export interface FeedHandlers {
  /** Who is this? Asked again now and then. @throws GraftError when nobody, or when it comes from another site */
  admit(asked: {
    readonly token: string | undefined
    readonly headers: IncomingHttpHeaders
    readonly address: string
  }): Promise<FeedAccess>
  federation(): FederationView
  lanes(): ClientLane[]
  eventsAfter(id: string, limit: number): Promise<LiveEvent[]>
  /** Told of failures that are no operator's fault. */
  onFault(error: GraftError): void
}

/** Why an operator is let in; it is out when either ends. */
export interface FeedAccess {
  readonly tokenId: string
  readonly sessionId: string | null
}

/** What is told to the operators who are connected. */
export interface OperatorFeed {
  readonly federationChanged: () => void
  readonly laneChanged: (client: ClientId) => void
  readonly eventAppended: (event: LiveEvent) => void
  readonly resourceChanged: (resource: ChangedResource) => void
  /** Ends what hangs on it, at once. */
  readonly sessionEnded: (id: string) => void
  readonly tokenRevoked: (id: string) => void
  readonly close: () => void
}

type FeedServer = Namespace<DefaultEventsMap, OperatorNews, DefaultEventsMap, FeedAccess>
type FeedSocket = Socket<DefaultEventsMap, OperatorNews, DefaultEventsMap, FeedAccess>

/** What an operator is still to be told, as soon as it takes more. */
interface Listener {
  readonly socket: FeedSocket
  isFederationDue: boolean
  /** Null: all there are. */
  lanesDue: Set<ClientId> | null
  readonly resourcesDue: Set<ChangedResource>
  /** Events that come while it is told those that it missed; null: it is told events as they come. */
  later: LiveEvent[] | null
  lastRound: string
}

/** Opens the namespace for operators on the socket server that clients use. */
export function attachOperatorFeed(sockets: Server, handlers: FeedHandlers): OperatorFeed {
  const namespace = sockets.of(OPERATOR_NAMESPACE) as unknown as FeedServer
  const listeners = new Map<string, Listener>()
  let ticker: NodeJS.Timeout | undefined
  const recheck = setInterval(() => void checkAccess(), RECHECK_MS).unref()

  namespace.use((socket, next) => {
    admit(socket).then(
      (access) => {
        Object.assign(socket.data, access)
        next()
      },
      (error: unknown) => {
        const { code, message } = toGraftError(error)
        next(Object.assign(new Error(message), { data: { ok: false, code, message } }))
      },
    )
  })

  namespace.on('connection', (socket) => {
    const { after } = OperatorAuth.parse(socket.handshake.auth)
    const listener: Listener = {
      socket,
      isFederationDue: true,
      lanesDue: null,
      resourcesDue: new Set(),
      later: after === undefined ? null : [],
      lastRound: '',
    }
    listeners.set(socket.id, listener)
    socket.on('disconnect', () => listeners.delete(socket.id))
    socket.on('error', () => undefined)
    tell(listener)
    due(() => undefined)
    if (after !== undefined) {
      catchUp(listener, after).catch((error: unknown) => {
        handlers.onFault(toGraftError(error))
        socket.disconnect(true)
      })
    }
  })

  const admit = async (socket: FeedSocket): Promise<FeedAccess> => {
    const { token } = parseMessage('handshake', OperatorAuth, socket.handshake.auth)
    const { headers, address } = socket.handshake
    return handlers.admit({ token, headers, address })
  }

  async function checkAccess(): Promise<void> {
    for (const { socket } of [...listeners.values()]) {
      await admit(socket).catch((error: unknown) => {
        // A database that is silent for a while is no reason to send anybody away.
        if (toGraftError(error).code === 'GRAFT_SIGNED_OUT') socket.disconnect(true)
      })
    }
  }

  /** Tells what was missed, then what came meanwhile, each event once. */
  async function catchUp(listener: Listener, after: string): Promise<void> {
    let last = after
    for (;;) {
      const missed = await handlers.eventsAfter(last, CHUNK)
      for (const event of missed) send(listener, event)
      last = missed.at(-1)?.id ?? last
      if (missed.length < CHUNK || !listeners.has(listener.socket.id)) break
    }
    const later = listener.later ?? []
    listener.later = null
    for (const event of later) if (comesAfter(event.id, last)) send(listener, event)
  }

  function send({ socket }: Listener, event: LiveEvent): void {
    socket.emit('event:appended', { event })
    if (waitingFor(socket) > MOST_WAITING) socket.disconnect(true)
  }

  /** Tells states, if the operator takes more; else they stay due, and are told as they are then. */
  function tell(listener: Listener): void {
    const { socket } = listener
    if (waitingFor(socket) > 0) return
    const federation = handlers.federation()
    const round = `${federation.run ?? ''} ${federation.round?.round ?? ''}`
    if (listener.isFederationDue) {
      listener.isFederationDue = false
      if (round !== listener.lastRound) listener.lanesDue = null
      listener.lastRound = round
      socket.emit('federation:changed', { federation })
    }
    const { lanesDue } = listener
    if (federation.round !== null && lanesDue?.size !== 0) {
      listener.lanesDue = new Set()
      const all = handlers.lanes()
      const lanes = lanesDue === null ? all : all.filter(({ client }) => lanesDue.has(client))
      if (lanes.length > 0) {
        socket.emit('lanes:changed', { round: federation.round.round, lanes })
      }
    }
    for (const resource of listener.resourcesDue) socket.emit('resource:changed', { resource })
    listener.resourcesDue.clear()
  }

  const isDue = (it: Listener): boolean =>
    it.isFederationDue || (it.lanesDue?.size ?? 0) > 0 || it.resourcesDue.size > 0

  function tick(): void {
    for (const listener of listeners.values()) tell(listener)
    if ([...listeners.values()].some(isDue)) return
    clearInterval(ticker)
    ticker = undefined
  }

  function due(note: (listener: Listener) => void): void {
    listeners.forEach(note)
    if (listeners.size > 0) ticker ??= setInterval(tick, TICK_MS).unref()
  }

  function end(isMeant: (access: FeedAccess) => boolean): void {
    for (const { socket } of [...listeners.values()]) {
      if (isMeant(socket.data)) socket.disconnect(true)
    }
  }

  return {
    federationChanged: () => due((listener) => (listener.isFederationDue = true)),
    laneChanged: (client) => due(({ lanesDue }) => lanesDue?.add(client)),
    eventAppended(event) {
      for (const listener of listeners.values()) {
        if (listener.later === null) send(listener, event)
        else listener.later.push(event)
      }
    },
    resourceChanged: (resource) => due(({ resourcesDue }) => resourcesDue.add(resource)),
    sessionEnded: (id) => end(({ sessionId }) => sessionId === id),
    tokenRevoked: (id) => end(({ tokenId }) => tokenId === id),
    close() {
      clearInterval(recheck)
      clearInterval(ticker)
      namespace.disconnectSockets(true)
    },
  }
}

/** Messages that the connection has not taken yet. */
function waitingFor({ conn }: FeedSocket): number {
  return (conn as unknown as { writeBuffer: unknown[] }).writeBuffer.length
}

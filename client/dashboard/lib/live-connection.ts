import { io, type Socket } from 'socket.io-client'
import { msgpackParser } from '../../../shared/protocol/msgpack-parser.ts'
import type { FederationView, OperatorNews } from '../../../shared/protocol/operator/live.ts'
import type { Api } from './api.ts'
import type { LiveStore } from './live-store.ts'
import { eventsBefore } from './recent-events.ts'

/** Events from before the page was opened that are told at first. */
const RECENT = 40
const RETRY_MS = 2_000
/** Asking again does not help against these. */
const FINAL = ['GRAFT_SIGNED_OUT', 'GRAFT_ORIGIN_REFUSED', 'GRAFT_ROLE_TOO_LOW']

/** What a namespace of ours says when it lets nobody in. */
interface ConnectError extends Error {
  readonly data?: { readonly code?: string }
}

/**
 * Tells the store what the coordinator tells, until it is stopped. After a cut it goes on behind the last event heard.
 *
 * @returns how to stop
 */
export function followLive(store: LiveStore, api: Api): () => void {
  let retry: ReturnType<typeof setTimeout> | undefined
  const socket: Socket<OperatorNews> = io('/operator', {
    parser: msgpackParser,
    transports: ['websocket'],
    autoConnect: false,
    reconnectionDelay: 500,
    reconnectionDelayMax: 5_000,
    auth: (give) => {
      const { events, federation } = store.read()
      const after = events[0]?.id ?? eventsBefore(federation?.lastEventId, RECENT)
      give(after === undefined ? {} : { after })
    },
  })
  const connectLater = () => {
    clearTimeout(retry)
    retry = setTimeout(() => socket.connect(), RETRY_MS)
  }
  socket.on('connect', () => store.tell({ type: 'connection', connection: 'live' }))
  socket.on('disconnect', (reason) => {
    store.tell({ type: 'connection', connection: lost() })
    // The coordinator hung up, on a page that was too slow or on a session that is over: the next try tells which.
    if (reason === 'io server disconnect') connectLater()
  })
  socket.on('connect_error', (error: ConnectError) => {
    const isFinal = FINAL.includes(error.data?.code ?? '')
    store.tell({ type: 'connection', connection: isFinal ? 'refused' : lost() })
    // A refusal ends socket.io's own tries.
    if (!isFinal && !socket.active) connectLater()
  })
  socket.on('federation:changed', (message) => store.tell({ type: 'federation:changed', message }))
  socket.on('lanes:changed', (message) => store.tell({ type: 'lanes:changed', message }))
  socket.on('event:appended', (message) => store.tell({ type: 'event:appended', message }))
  socket.on('resource:changed', (message) => store.tell({ type: 'resource:changed', message }))

  // First what is, so that there is a page at once, and the feed knows from where on it has to tell.
  let isStopped = false
  void api
    .get<FederationView>('/federation')
    .then((federation) => store.tell({ type: 'federation:changed', message: { federation } }))
    .catch(() => undefined)
    .then(() => isStopped || socket.connect())

  const onOffline = () => store.tell({ type: 'connection', connection: 'away' })
  window.addEventListener('offline', onOffline)
  return () => {
    isStopped = true
    clearTimeout(retry)
    window.removeEventListener('offline', onOffline)
    socket.disconnect()
  }
}

function lost(): 'away' | 'reconnecting' {
  return navigator.onLine ? 'reconnecting' : 'away'
}

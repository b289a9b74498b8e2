import { Manager } from 'socket.io-client'
import { GraftError } from '../../shared/errors.ts'
import type { RunId } from '../../shared/ids.ts'
import { msgpackParser } from '../../shared/protocol/msgpack-parser.ts'
import {
  EventAppended,
  FederationChanged,
  LanesChanged,
  ResourceChanged,
} from '../../shared/protocol/operator/live.ts'
import { pageOf, Problem, RoundSummary } from '../../shared/protocol/operator/resources.ts'
import { Refusal } from '../../shared/protocol/messages.ts'
import { fromRefusal, parseMessage } from '../../shared/protocol/refusal.ts'
import type { WatchNews } from './watch-state.ts'

const PAGE = 200
const RoundPage = pageOf(RoundSummary)

export interface FeedOptions {
  /** As in `http://127.0.0.1:7433`. */
  readonly server: string
  readonly token: string
  readonly onNews: (news: WatchNews) => void
  /** Once aborted, `followFederation` rejects with its reason. */
  readonly signal: AbortSignal
}

/**
 * Tells what a coordinator tells its operators, until `signal` is aborted; a broken connection comes back by itself, and
 * nothing that was stored meanwhile is missed.
 *
 * @throws GraftError GRAFT_SERVER_UNREACHABLE when there is no first connection; what the coordinator refuses with; the
 *   reason of the signal
 */
export async function followFederation(options: FeedOptions): Promise<never> {
  const { server, token, onNews, signal } = options
  const over = new AbortController()
  const either = AbortSignal.any([signal, over.signal])
  const last: { event?: string; run?: RunId | null } = {}
  let hasConnected = false
  const manager = new Manager(server, { parser: msgpackParser, transports: ['websocket'] })
  const socket = manager.socket('/operator', {
    auth: (send) => {
      send({ token, ...(last.event !== undefined && { after: last.event }) })
    },
  })

  /** What cannot be read, or asked for, ends the watch: an operator must not look at half of the truth. */
  const guarded = (act: () => void | Promise<void>) => () => {
    Promise.resolve()
      .then(act)
      .catch((error: unknown) => {
        over.abort(error)
      })
  }
  const hear = <Body>(
    name: string,
    schema: Parameters<typeof parseMessage<Body>>[1],
    act: (body: Body) => void | Promise<void>,
  ) =>
    socket.on(name, (message: unknown) => {
      guarded(() => act(parseMessage(name, schema, message)))()
    })

  const askAccuracies = async () => {
    const { run } = last
    if (run == null) return
    const accuracies = await accuraciesOf(run, options)
    onNews({ type: 'accuracies', run, accuracies })
  }

  hear('federation:changed', FederationChanged, async ({ federation }) => {
    last.event ??= federation.lastEventId
    const isOtherRun = last.run !== federation.run
    last.run = federation.run
    onNews({ type: 'federation', federation })
    if (isOtherRun) await askAccuracies()
  })
  hear('lanes:changed', LanesChanged, ({ lanes }) => onNews({ type: 'lanes', lanes }))
  hear('event:appended', EventAppended, ({ event }) => {
    last.event = event.id
    onNews({ type: 'event', event })
  })
  hear('resource:changed', ResourceChanged, async ({ resource }) => {
    if (resource === 'rounds') await askAccuracies()
  })
  socket.on('connect', () => {
    hasConnected = true
    onNews({ type: 'connection', connection: 'connected' })
  })
  socket.on('disconnect', (reason) => {
    onNews({ type: 'connection', connection: 'lost' })
    // The coordinator ended it: the next handshake says why.
    if (reason === 'io server disconnect') socket.connect()
  })
  socket.on('connect_error', (error: Error & { data?: unknown }) => {
    const refusal = Refusal.safeParse(error.data)
    if (refusal.success) over.abort(fromRefusal(refusal.data))
    else if (!hasConnected) over.abort(unreachable(server))
  })

  try {
    return await new Promise<never>((_, reject) => {
      const end = () => {
        reject(either.reason as Error)
      }
      if (either.aborted) end()
      else either.addEventListener('abort', end, { once: true })
    })
  } finally {
    socket.disconnect()
    manager.removeAllListeners()
  }
}

/** Accuracy of the published model of each round, oldest first. */
async function accuraciesOf(run: RunId, { server, token, signal }: FeedOptions): Promise<number[]> {
  const accuracies: number[] = []
  let cursor: string | null = null
  do {
    const url = new URL(`/api/v1/runs/${run}/rounds`, server)
    url.searchParams.set('limit', String(PAGE))
    if (cursor !== null) url.searchParams.set('cursor', cursor)
    const response: Response = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
      signal,
    }).catch((cause: unknown) => {
      signal.throwIfAborted()
      throw new GraftError('GRAFT_SERVER_UNREACHABLE', `${server} does not answer.`, { cause })
    })
    const body: unknown = await response.json()
    if (!response.ok) {
      const { code, detail } = parseMessage('problem', Problem, body)
      throw new GraftError(code, detail)
    }
    const page = parseMessage('rounds', RoundPage, body)
    accuracies.push(...page.items.map(({ published }) => published.accuracy))
    cursor = page.next
  } while (cursor !== null)
  return accuracies
}

function unreachable(server: string): GraftError {
  return new GraftError('GRAFT_SERVER_UNREACHABLE', `No coordinator answers at ${server}.`)
}

import type { DefaultEventsMap, Socket } from 'socket.io'
import { ERRORS, GraftError, toGraftError } from '../../shared/errors.ts'
import type { ClientId } from '../../shared/ids.ts'
import {
  type Ack,
  BlobPull,
  ClientProgress,
  ClientReady,
  type ClientToServer,
  EvaluationDecline,
  EvaluationReport,
  MAX_PENDING_MESSAGES,
  RunJoin,
  type ServerToClient,
  UpdateBegin,
  UpdateChunk,
  UpdateCommit,
} from '../../shared/protocol/messages.ts'
import { parseMessage, toRefusal } from '../../shared/protocol/refusal.ts'
import type { ClientLog } from './client-log.ts'
import type { GatewayHandlers } from './gateway.ts'
import type { GatewayLimiter } from './gateway-limits.ts'
import { peerOf } from './peer.ts'
import { createTurns } from './turns.ts'
import type { Uploads } from './uploads.ts'

/** `data.client` is set once the client is admitted. */
export type ClientSocket = Socket<
  ClientToServer,
  ServerToClient,
  DefaultEventsMap,
  { client: ClientId }
>

export interface ClientRooms {
  readonly handlers: GatewayHandlers
  readonly uploads: Uploads
  readonly limiter: GatewayLimiter
  readonly onFault: (error: GraftError) => void
  readonly log: Pick<ClientLog, 'answered'>
}

/** Answers every message of one client. Nothing past this file sees an unparsed message. */
export function answerClient(socket: ClientSocket, rooms: ClientRooms): void {
  const replies = repliesTo(socket.data.client, rooms)
  const turns = createTurns()
  const { address } = peerOf(socket.request.socket)
  let pending = 0
  /** The newest progress that waits for its turn, of which those before it say nothing that is still so. */
  let untold: { readonly message: unknown } | null = null

  /** Seconds until this message may be answered: a client that sends more than it may is slowed down, not refused. */
  function waitFor(event: string): () => number {
    const { client } = socket.data
    const begins = event === 'update:begin'
    return () => {
      const wait = rooms.limiter.message(client, address)
      return begins ? Math.max(wait, rooms.limiter.upload(client, address)) : wait
    }
  }

  async function reply(event: string, message: unknown): Promise<Ack> {
    try {
      if (!isKnown(replies, event)) {
        throw new GraftError('GRAFT_MESSAGE_INVALID', `There is no message ${event.slice(0, 64)}.`)
      }
      const ack: Ack = { ok: true, ...(await replies[event](message)) }
      rooms.log.answered(socket, event, message)
      return ack
    } catch (error) {
      const refusal = toClientError(error, rooms.onFault)
      rooms.log.answered(socket, event, message, refusal)
      return toRefusal(refusal)
    }
  }

  async function onMessage(event: string, message: unknown, answer: unknown): Promise<void> {
    // A client that does not wait for answers would fill the memory with its chunks.
    if (pending === MAX_PENDING_MESSAGES) {
      endConnection(socket, tooManyPending())
      return
    }
    if (typeof answer !== 'function') {
      endConnection(socket, unanswerable(event))
      return
    }
    pending++
    await turns(waitFor(event))
    const ack = await reply(event, message)
    pending--
    const send = answer as (ack: Ack) => void
    send(ack)
  }

  /** When the coordinator was busy elsewhere, a hundred of them come at once: that is no fault of the client's. */
  async function onProgress(message: unknown): Promise<void> {
    const isFirst = untold === null
    untold = { message }
    if (!isFirst) return
    await turns(waitFor('client:progress'))
    const newest = untold
    untold = null
    const ack = await reply('client:progress', newest.message)
    // What cannot be answered with a refusal is told and ends the connection.
    if (!ack.ok) endConnection(socket, ack)
  }

  socket.onAny((event: string, message: unknown, answer: unknown) => {
    const isUnanswered = event === 'client:progress' && typeof answer !== 'function'
    void (isUnanswered ? onProgress(message) : onMessage(event, message, answer))
  })
}

/** Tells the client why, then closes; socket.io sends what is buffered first. */
export function endConnection(
  socket: ClientSocket,
  { code, message }: Pick<GraftError, 'code' | 'message'>,
): void {
  socket.emit('connection:closed', { code, message })
  socket.disconnect(true)
}

/** What a client may know of a failure; the operator is told of the coordinator's own ones. */
export function toClientError(error: unknown, onFault: (error: GraftError) => void): GraftError {
  const known = toGraftError(error)
  if (ERRORS[known.code].status >= 500) onFault(known)
  if (error instanceof GraftError) return known
  const problem = 'The coordinator could not handle this message; its own output says why.'
  return new GraftError(known.code, problem, { cause: error })
}

type Replies = Record<keyof ClientToServer, (message: unknown) => Promise<object>>

function repliesTo(client: ClientId, { handlers, uploads }: ClientRooms): Replies {
  return {
    'run:join': async (message) => {
      const { after } = parseMessage('run:join', RunJoin, message)
      return handlers.onJoin(client, after)
    },
    'client:ready': async (message) => {
      await handlers.onReady(client, parseMessage('client:ready', ClientReady, message))
      return {}
    },
    'client:progress': async (message) => {
      handlers.onProgress(client, parseMessage('client:progress', ClientProgress, message))
      return {}
    },
    'blob:pull': async (message) => {
      const pull = parseMessage('blob:pull', BlobPull, message)
      return { chunk: await handlers.readBlob(client, pull) }
    },
    'update:begin': (message) =>
      uploads.begin(client, parseMessage('update:begin', UpdateBegin, message)),
    'update:chunk': (message) =>
      uploads.write(client, parseMessage('update:chunk', UpdateChunk, message)),
    'update:commit': async (message) => {
      await uploads.commit(client, parseMessage('update:commit', UpdateCommit, message))
      return {}
    },
    'evaluation:decline': async (message) => {
      handlers.onDecline(client, parseMessage('evaluation:decline', EvaluationDecline, message))
      return {}
    },
    'evaluation:report': async (message) => {
      handlers.onEvaluation(client, parseMessage('evaluation:report', EvaluationReport, message))
      return {}
    },
  }
}

function isKnown(replies: Replies, event: string): event is keyof Replies {
  return Object.hasOwn(replies, event)
}

function tooManyPending(): GraftError {
  return new GraftError(
    'GRAFT_MESSAGE_INVALID',
    `More than ${MAX_PENDING_MESSAGES} messages wait for their answers.`,
  )
}

function unanswerable(event: string): GraftError {
  return new GraftError('GRAFT_MESSAGE_INVALID', `${event.slice(0, 64)} came without an answer.`)
}

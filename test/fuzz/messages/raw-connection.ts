import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { answeredFollowUp, type FollowUp } from './follow-up.ts'
import { isPlain } from './mutate-value.ts'
import { decode, encodeConnect } from './packets.ts'

/** What is sent at once: a binary or a text message, or bytes in the place of a WebSocket frame. */
export type Frame = Uint8Array | string | { readonly raw: Uint8Array }

export type Outcome =
  /** An acknowledgement, or the refusal of a handshake. */
  | { readonly type: 'answered'; readonly reply: unknown }
  | { readonly type: 'closed'; readonly told: unknown }
  /** Nothing came, and what was sent behind it was answered. */
  | { readonly type: 'ignored' }
  /** A handshake was accepted. */
  | { readonly type: 'admitted' }
  | { readonly type: 'silent' }

/** A WebSocket to the coordinator that says what it likes, one thing at a time. */
export interface RawConnection {
  readonly isOpen: boolean
  /** @throws Error when the handshake is not accepted */
  admit(auth: object): Promise<void>
  exchange(frames: readonly Frame[], next?: FollowUp): Promise<Outcome>
  close(): Promise<void>
}

const SOCKET_PATH = '/socket.io/?EIO=4&transport=websocket'
const ANSWER_MS = 30_000

export async function openRawConnection(url: string): Promise<RawConnection> {
  const socket = new WebSocket(url.replace(/^http/, 'ws') + SOCKET_PATH, {
    perMessageDeflate: false,
  })
  let stream: Socket | undefined
  let told: unknown
  let next: FollowUp | undefined
  let settle: (outcome: Outcome) => void = () => undefined

  socket.on('upgrade', (response: IncomingMessage) => (stream = response.socket))
  socket.on('error', () => undefined) // followed by `close`
  socket.on('close', () => settle({ type: 'closed', told }))
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) onPacket(decode(data))
    else if (data.toString() === '2') socket.send('3')
  })

  function onPacket(packet: unknown): void {
    if (!isPlain(packet)) return
    const { type, data } = packet
    const answered = answeredFollowUp(packet)
    if (answered !== null) {
      if (answered === next?.number) settle({ type: 'ignored' })
    } else if (type === 0) settle({ type: 'admitted' })
    else if (type === 3 && Array.isArray(data)) settle({ type: 'answered', reply: data[0] })
    else if (type === 4 && isPlain(data)) settle({ type: 'answered', reply: data['data'] ?? data })
    else if (Array.isArray(data) && data[0] === 'connection:closed') told = data[1]
  }

  function send(frame: Frame): void {
    if (typeof frame === 'object' && 'raw' in frame) stream?.write(frame.raw)
    else socket.send(frame)
  }

  async function exchange(frames: readonly Frame[], following?: FollowUp): Promise<Outcome> {
    if (socket.readyState !== WebSocket.OPEN) return { type: 'closed', told }
    const late = new AbortController()
    const outcome = new Promise<Outcome>((resolve) => (settle = resolve))
    next = following
    frames.forEach(send)
    if (following) send(following.frame)
    const silence = delay(ANSWER_MS, { type: 'silent' } as const, { signal: late.signal })
    silence.catch(() => undefined)
    try {
      return await Promise.race([outcome, silence])
    } finally {
      late.abort()
    }
  }

  const closed = once(socket, 'close').then(() => {
    throw new Error('the connection closed before engine.io said its greeting')
  })
  await Promise.race([once(socket, 'message'), closed])
  return {
    get isOpen() {
      return socket.readyState === WebSocket.OPEN
    },
    async admit(auth) {
      const outcome = await exchange([encodeConnect(auth)])
      if (outcome.type !== 'admitted') {
        throw new Error(`a valid handshake was answered with ${JSON.stringify(outcome)}`)
      }
    },
    exchange,
    async close() {
      if (socket.readyState === WebSocket.CLOSED) return
      const closed = once(socket, 'close')
      socket.terminate()
      await closed
    },
  }
}

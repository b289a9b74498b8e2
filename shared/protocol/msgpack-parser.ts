import { assertPlainMsgpack } from './plain-msgpack.ts'
import { Packr } from './pure-packr.ts'

/** socket.io packet types, socket.io-protocol v5; the two binary ones are not used with MessagePack. */
const CONNECT = 0
const DISCONNECT = 1
const EVENT = 2
const ACK = 3
const CONNECT_ERROR = 4

/** Event names that socket.io emits by itself, so no packet may carry them. */
const RESERVED_EVENTS = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
])

/** What socket.io hands to its parser and wants back from it. */
export interface Packet {
  type: number
  nsp: string
  data?: unknown
  /** Number of the acknowledgement asked for or given. */
  id?: number
}

// Objects as plain maps, which every MessagePack library reads.
const packr = new Packr({ useRecords: false, mapsAsObjects: true, structuredClone: false })

/** Packet -> one MessagePack map; bytes stay a bin inside it, so there are no attachments. */
class Encoder {
  /** The last answer that each chunk went out in: all clients of a round pull the same, many under the same number. */
  readonly #answers = new WeakMap<Uint8Array, EncodedAnswer>()

  encode({ type, nsp, data, id }: Packet): Uint8Array[] {
    const packet: Packet = { type, nsp }
    if (data !== undefined) packet.data = data
    if (id !== undefined) packet.id = id
    const chunk = chunkAnswered(packet)
    if (chunk === null) return [packr.pack(packet)]
    const to = `${id} ${nsp}`
    const last = this.#answers.get(chunk)
    if (last?.to === to) return [last.bytes]
    // A copy: msgpackr gives a part of a buffer of megabytes, all of which would be kept.
    const bytes = new Uint8Array(packr.pack(packet))
    this.#answers.set(chunk, { to, bytes })
    return [bytes]
  }
}

interface EncodedAnswer {
  /** Which question of which namespace it answers. */
  readonly to: string
  readonly bytes: Uint8Array
}

/** @returns the chunk of a blob that this packet answers with, and with nothing else; nobody changes it any more */
function chunkAnswered({ type, data }: Packet): Uint8Array | null {
  if (type !== ACK || !Array.isArray(data) || data.length !== 1) return null
  const [answer] = data as unknown[]
  if (!isPlainObject(answer) || answer['ok'] !== true || Object.keys(answer).length !== 2)
    return null
  return answer['chunk'] instanceof Uint8Array ? answer['chunk'] : null
}

/**
 * One MessagePack map -> packet. `add` throws at anything else, and socket.io then closes the connection.
 * msgpackr itself refuses lengths beyond the message and renames the key `__proto__`.
 */
class Decoder {
  /** An emitter of this one event; that of Node is not there in browsers. */
  readonly #listeners = new Set<(packet: Packet) => void>()

  on(_event: 'decoded', listener: (packet: Packet) => void): this {
    this.#listeners.add(listener)
    return this
  }

  off(_event: 'decoded', listener: (packet: Packet) => void): this {
    this.#listeners.delete(listener)
    return this
  }

  /** As the server's end of socket.io calls it. */
  removeListener(event: 'decoded', listener: (packet: Packet) => void): this {
    return this.off(event, listener)
  }

  add(message: unknown): void {
    if (!(message instanceof Uint8Array || message instanceof ArrayBuffer)) {
      throw new TypeError('expected a binary message')
    }
    const bytes = asBytes(message)
    assertPlainMsgpack(bytes)
    const packet: unknown = packr.unpack(bytes)
    if (!isPacket(packet)) throw new TypeError('expected a socket.io packet')
    for (const listener of [...this.#listeners]) listener(packet)
  }

  /** Part of the contract of a parser; nothing outlives a message here. */
  destroy(): void {
    this.#listeners.clear()
  }
}

/** socket.io `parser` option; both ends must have the same. Contract: socket.io-parser 4.2. */
export const msgpackParser = { protocol: 5, Encoder, Decoder }

// A view of its own: msgpackr leaves a `dataView` property on the array it reads.
function asBytes(message: Uint8Array | ArrayBuffer): Uint8Array {
  return message instanceof ArrayBuffer
    ? new Uint8Array(message)
    : message.subarray(0, message.byteLength)
}

const PACKET_KEYS = new Set(['type', 'nsp', 'data', 'id'])

function isPacket(value: unknown): value is Packet {
  if (!isPlainObject(value) || !Object.keys(value).every((key) => PACKET_KEYS.has(key)))
    return false
  const { type, nsp, data, id } = value
  const isIdValid = id === undefined || Number.isSafeInteger(id)
  return typeof nsp === 'string' && isIdValid && isDataValid(type, data)
}

function isDataValid(type: unknown, data: unknown): boolean {
  switch (type) {
    case CONNECT:
      return data === undefined || isPlainObject(data)
    case DISCONNECT:
      return data === undefined
    case EVENT:
      return Array.isArray(data) && typeof data[0] === 'string' && !RESERVED_EVENTS.has(data[0])
    case ACK:
      return Array.isArray(data)
    case CONNECT_ERROR:
      return typeof data === 'string' || isPlainObject(data)
    default:
      return false
  }
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === '[object Object]'
}

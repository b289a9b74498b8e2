import { Packr } from '../../../shared/protocol/pure-packr.ts'

// The same MessagePack as the product's, without its checks.
const packr = new Packr({ useRecords: false, mapsAsObjects: true, structuredClone: false })

export const EVENT = 2

export const encode = (packet: unknown): Uint8Array => Uint8Array.from(packr.pack(packet))

export const encodeEvent = (event: unknown, message: unknown, id?: unknown): Uint8Array =>
  encode({ type: EVENT, nsp: '/', data: [event, message], ...(id !== undefined && { id }) })

export const encodeConnect = (auth?: unknown): Uint8Array =>
  encode({ type: 0, nsp: '/', ...(auth !== undefined && { data: auth }) })

/** What the bytes say; undefined where they are no MessagePack. */
export function decode(bytes: Uint8Array): unknown {
  try {
    // A copy: msgpackr leaves a property on what it reads.
    return packr.unpack(Uint8Array.from(bytes))
  } catch {
    return undefined
  }
}

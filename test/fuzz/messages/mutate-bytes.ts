import type { Rng } from '../../../shared/numeric/rng.ts'
import { bytes, flipBits, integer, joined, pick } from '../draw.ts'

type Mutation = (packet: Uint8Array, rng: Rng) => Uint8Array

/** First bytes of arrays, maps, strings, bytes and extensions with a length of 32 bits. */
const WIDE = [0xdd, 0xdf, 0xdb, 0xc6, 0xc9]

/** Ways to spoil the MessagePack of a packet; each may happen to leave it valid. */
export const BYTE_MUTATIONS = {
  truncated: (packet, rng) => packet.slice(0, integer(rng, packet.length)),
  'bits flipped': (packet, rng) => flipBits(rng, packet),
  'bytes inserted': (packet, rng) => {
    const at = integer(rng, packet.length + 1)
    return joined(packet.subarray(0, at), bytes(rng, 1 + integer(rng, 8)), packet.subarray(at))
  },
  'bytes removed': (packet, rng) => {
    const at = integer(rng, packet.length)
    return joined(packet.subarray(0, at), packet.subarray(at + 1 + integer(rng, 8)))
  },
  'bytes repeated': (packet, rng) => {
    const [from, to] = [integer(rng, packet.length), integer(rng, packet.length)].sort(
      (a, b) => a - b,
    )
    return joined(packet.subarray(0, to), packet.subarray(from))
  },
  'length beyond the message': (packet, rng) => {
    const at = integer(rng, packet.length)
    const claimed = [pick(rng, WIDE), pick(rng, [0xff, 0x7f, 0x00]), 0xff, 0xff, 0xff]
    return joined(packet.subarray(0, at), claimed, packet.subarray(at + claimed.length))
  },
  'extension type': (packet, rng) => {
    const at = integer(rng, packet.length)
    return joined(packet.subarray(0, at), extension(rng), packet.subarray(at + 1))
  },
  'two packets': (packet) => joined(packet, packet),
  'random bytes': (_, rng) => bytes(rng, integer(rng, 2000)),
  'nested without end': (_, rng) => {
    const [open, length] = pick(rng, [
      [[0x91], 100_000], // arrays of one
      [[0x81, 0xa1, 0x61], 50_000], // maps of one, {a: ...}
      [[0xdc, 0xff, 0xff], 20_000], // arrays of 65,535, of which there is only the first
    ] as const)
    return joined(...Array.from({ length: 1 + integer(rng, length) }, () => open))
  },
  'keys that are no strings': (_, rng) => {
    const key = pick(rng, [
      [0x01],
      [0xc0],
      [0x90],
      [0x80],
      [0xc4, 0x01, 0x00],
      [0xcb, ...bytes(rng, 8)],
    ])
    return joined([0x81], key, [0x01])
  },
} as const satisfies Record<string, Mutation>

/** msgpackr reads about ten of them; whatever is in it, none is used here. */
function extension(rng: Rng): Uint8Array {
  const type = pick(rng, [0x00, 0x01, 0x62, 0x65, 0x69, 0x70, 0x72, 0x73, 0x74, 0x78, 0xff])
  const size = pick(rng, [1, 2, 4, 8, 16])
  const fixed = 0xd4 + Math.log2(size)
  if (rng.next() < 0.7) return joined([fixed, type], bytes(rng, size))
  return joined([0xc7, size, type], bytes(rng, size))
}

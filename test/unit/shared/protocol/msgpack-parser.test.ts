import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { msgpackParser, type Packet } from '../../../../shared/protocol/msgpack-parser.ts'
import { Packr } from '../../../../shared/protocol/pure-packr.ts'

const packr = new Packr({ useRecords: false })

describe('msgpackParser', () => {
  it('should carry an event with bytes in one message', () => {
    const chunk = Uint8Array.of(1, 2, 3)
    const packet = { type: 2, nsp: '/', data: ['update:chunk', { offset: 0, chunk }], id: 7 }
    const messages = encode(packet)
    expect(messages).toHaveLength(1)
    const decoded = decode(messages[0]!) as typeof packet
    expect(decoded).toMatchObject({ type: 2, nsp: '/', id: 7 })
    const [event, message] = decoded.data as [string, { offset: number; chunk: Uint8Array }]
    expect(event).toBe('update:chunk')
    expect(message.chunk).toBeInstanceOf(Uint8Array)
    expect([...message.chunk]).toEqual([1, 2, 3])
  })

  it('should carry a view into a larger buffer, not the buffer', () => {
    const view = new Uint8Array(1000).fill(9).subarray(10, 12)
    const [message] = encode({ type: 3, nsp: '/', data: [view], id: 1 })
    expect(message!.length).toBeLessThan(60)
    expect([...(decode(message!).data as [Uint8Array])[0]]).toEqual([9, 9])
  })

  it('should encode a chunk once for all whose answers are the same', () => {
    const chunk = Buffer.of(1, 2, 3)
    const encoder = new msgpackParser.Encoder()
    const answer = (id: number, more: object = {}) =>
      encoder.encode({ type: 3, nsp: '/', data: [{ ok: true, chunk, ...more }], id })[0]!
    const first = answer(4)
    expect(answer(4)).toBe(first)
    // It is kept as long as the chunk, and nothing beside it.
    expect(first.buffer.byteLength).toBe(first.byteLength)
    expect(decode(Buffer.from(answer(5)))).toEqual({
      type: 3,
      nsp: '/',
      data: [{ ok: true, chunk }],
      id: 5,
    })
    expect(decode(Buffer.from(answer(5, { last: true }))).data).toEqual([
      { ok: true, chunk, last: true },
    ])
    const elsewhere = { type: 3, nsp: '/operators', data: [{ ok: true, chunk }], id: 5 }
    expect(decode(Buffer.from(encoder.encode(elsewhere)[0]!))).toEqual(elsewhere)
  })

  it.each<[string, unknown]>([
    ['an unknown type', { type: 9, nsp: '/' }],
    ['the binary types of the JSON parser', { type: 5, nsp: '/', data: ['x'] }],
    ['no namespace', { type: 0 }],
    ['an unknown key', { type: 0, nsp: '/', attachments: 3 }],
    ['an acknowledgement number that is a fraction', { type: 3, nsp: '/', data: [], id: 1.5 }],
    ['a handshake that is a list', { type: 0, nsp: '/', data: [] }],
    ['a farewell with data', { type: 1, nsp: '/', data: 'bye' }],
    ['an event without a name', { type: 2, nsp: '/', data: [] }],
    ['an event with a reserved name', { type: 2, nsp: '/', data: ['disconnect'] }],
    ['an answer that is no list', { type: 3, nsp: '/', data: 'x', id: 1 }],
    ['a list', [2, '/', []]],
    ['null', null],
  ])('should refuse a packet with %s', (_what, packet) => {
    expect(() => decode(packr.pack(packet))).toThrow('expected a socket.io packet')
  })

  it('should refuse text', () => {
    expect(() => decode('2["update:begin"]')).toThrow('expected a binary message')
  })

  it.each([
    ['a list of 4 billion', [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ['a map of 4 billion', [0xdf, 0xff, 0xff, 0xff, 0xff]],
    ['bytes beyond the message', [0xc6, 0xff, 0xff, 0xff, 0xff]],
    ['a record definition', [0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01]],
    ['deeply nested lists', Array.from({ length: 100_000 }, () => 0x91)],
    ['a packet and something behind it', [0xc0, 0xc0]],
    ['nothing', []],
  ])('should refuse %s', (_what, bytes) => {
    expect(() => decode(Uint8Array.from(bytes))).toThrow()
  })

  it('should not let a key reach the prototype', () => {
    // {type: 0, nsp: '/', data: {__proto__: {admin: true}}}
    const evil = packr.pack({ type: 0, nsp: '/', data: { __pro2o__: { admin: true } } })
    const at = evil.indexOf('__pro2o__')
    evil.write('__proto__', at)
    const { data } = decode(evil) as { data: Record<string, unknown> }
    expect(data['admin']).toBeUndefined()
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined()
  })

  it('should give back any packet it encoded', () => {
    const json = fc
      .jsonValue({ maxDepth: 3 })
      .filter((value) => !JSON.stringify(value).includes('__proto__'))
    const event = fc.record({
      type: fc.constant(2),
      nsp: fc.constant('/'),
      data: fc.tuple(fc.constant('client:ready'), json),
      id: fc.nat(),
    })
    fc.assert(
      fc.property(event, (packet) => {
        const again = JSON.stringify(decode(encode(packet)[0]!))
        expect(JSON.parse(again)).toEqual(JSON.parse(JSON.stringify(packet)))
      }),
    )
  })

  it('should throw an Error or give a packet, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          expect(decode(bytes)).toHaveProperty('nsp')
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

// Helpers

function encode(packet: Packet): Uint8Array[] {
  return new msgpackParser.Encoder().encode(packet)
}

function decode(message: unknown): Packet {
  const decoder = new msgpackParser.Decoder()
  let decoded: Packet | undefined
  decoder.on('decoded', (packet: Packet) => (decoded = packet))
  decoder.add(message)
  decoder.destroy()
  return decoded!
}

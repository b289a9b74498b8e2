import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertPlainMsgpack } from '../../../../shared/protocol/plain-msgpack.ts'
import { Packr } from '../../../../shared/protocol/pure-packr.ts'

const packr = new Packr({ useRecords: false })

describe('assertPlainMsgpack', () => {
  it.each<[string, unknown]>([
    ['a date', new Date(0)],
    ['an error', new TypeError('x')],
    ['a regular expression', /x/],
    ['a set', new Set([1])],
    ['a huge integer', 2n ** 80n],
  ])('should refuse %s, however deep', (_what, value) => {
    const bytes = new Packr({ useRecords: false, moreTypes: true, useBigIntExtension: true }).pack({
      list: ['a'.repeat(300), { value }],
    })
    expect(() => assertPlainMsgpack(bytes)).toThrow(/MessagePack type 0x[0-9a-f]+ is not used/)
  })

  it.each([
    ['a record', [0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01]],
    ['a record with a long number', [0xd5, 0x72, 0x40, 0x01]],
    ['the byte that MessagePack never uses', [0x91, 0xc1]],
    ['a reference', [0x91, 0xd6, 0x69, 0, 0, 0, 1, 0x01]],
  ])('should refuse %s', (_what, bytes) => {
    expect(() => assertPlainMsgpack(Uint8Array.from(bytes))).toThrow('is not used')
  })

  it('should not mistake bytes or text for types', () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i)
    for (const length of [0, 200, 40_000, 70_000]) {
      expect(() => assertPlainMsgpack(packr.pack([bytes.subarray(0, length), 1]))).not.toThrow()
      expect(() => assertPlainMsgpack(packr.pack(['\u00d4'.repeat(length), 1]))).not.toThrow()
    }
  })

  it('should let every JSON value, undefined and bytes through', () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.double(),
      fc.uint8Array({ maxLength: 400 }),
      fc.constant(undefined),
    )
    fc.assert(
      fc.property(fc.array(value), fc.dictionary(fc.string(), value), (list, map) => {
        assertPlainMsgpack(packr.pack({ list, map }))
      }),
    )
  })

  it('should look into a view, not into what lies around it', () => {
    const around = Uint8Array.from([0xc7, 0x01, 0xc7])
    expect(() => assertPlainMsgpack(around.subarray(1, 2))).not.toThrow()
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { pageOfList, parseCursor } from '../../../../server/api/cursor.ts'

describe('pageOfList', () => {
  it('should go through any list once, whatever the size of its pages', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string()), fc.integer({ min: 1, max: 10 }), (all, limit) => {
        const seen: string[] = []
        let cursor: string | undefined
        do {
          const page = pageOfList(all, { cursor, limit }, (it) => it)
          seen.push(...page.items)
          cursor = page.next ?? undefined
        } while (cursor !== undefined)
        expect(seen).toEqual([...all].sort((a, b) => (a < b ? -1 : 1)))
      }),
    )
  })
})

describe('parseCursor', () => {
  it.each(['nonsense', '', Buffer.from('"text"').toString('base64url')])(
    'should refuse %j',
    (cursor) => {
      expect(() => parseCursor(z.int(), cursor)).toThrow(/not one that a page/)
    },
  )
})

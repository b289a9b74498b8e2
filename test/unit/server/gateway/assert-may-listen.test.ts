import { describe, expect, it } from 'vitest'
import { assertMayListen } from '../../../../server/gateway/assert-may-listen.ts'

describe('assertMayListen', () => {
  it.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1'])('should allow %s', (host) => {
    expect(() => assertMayListen(host, false)).not.toThrow()
  })

  it.each(['0.0.0.0', '::', '', '10.0.0.5', '127.example.org', 'localhost.example.org'])(
    'should refuse "%s" until told that it is meant',
    (host) => {
      expect(() => assertMayListen(host, false)).toThrow(
        expect.objectContaining({ code: 'GRAFT_INSECURE_LISTEN' }),
      )
      expect(() => assertMayListen(host, true)).not.toThrow()
    },
  )
})

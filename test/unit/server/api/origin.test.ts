import { describe, expect, it } from 'vitest'
import { assertOwnOrigin } from '../../../../server/api/origin.ts'

describe('assertOwnOrigin', () => {
  it.each([
    [{ host: 'graft:7433' }],
    [{ host: 'graft:7433', origin: 'http://graft:7433' }],
    [{ host: 'Graft.Example', origin: 'https://graft.example' }],
    [{ host: 'graft:7433', 'sec-fetch-site': 'same-origin' }],
  ])('should let %j pass', (headers) => {
    expect(() => assertOwnOrigin(headers)).not.toThrow()
  })

  it.each([
    [{ host: 'graft:7433', origin: 'http://graft:7434' }],
    [{ host: 'graft:7433', origin: 'http://graft.evil.example:7433' }],
    [{ host: 'graft:7433', origin: 'null' }],
    [{ origin: 'http://graft:7433' }],
    [{ host: 'graft:7433', 'sec-fetch-site': 'same-site' }],
  ])('should refuse %j', (headers) => {
    expect(() => assertOwnOrigin(headers)).toThrow(/GRAFT_ORIGIN_REFUSED/)
  })
})

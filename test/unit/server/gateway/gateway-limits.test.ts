import { describe, expect, it } from 'vitest'
import {
  createGatewayLimiter,
  DEFAULT_LIMITS,
  networkOf,
} from '../../../../server/gateway/gateway-limits.ts'

describe('createGatewayLimiter', () => {
  it('should let a thousand clients behind one address start, and come back after a restart', () => {
    const limiter = createGatewayLimiter(DEFAULT_LIMITS, () => 0)
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 1000; i++) {
        expect(limiter.connect('10.0.0.1')).toBe(0)
        expect(limiter.join('join-token', `client-${i}`)).toBe(0)
      }
    }
  })

  it('should bound what one address may do, whatever its clients are called', () => {
    const limiter = createGatewayLimiter(
      { ...DEFAULT_LIMITS, uploads: { burst: 2, perSecond: 1 }, clientsAnAddress: 3 },
      () => 0,
    )
    const waits = Array.from({ length: 8 }, (_, i) => limiter.upload(`client-${i}`, '10.0.0.1'))
    expect(waits.filter((wait) => wait === 0)).toHaveLength(6)
    expect(limiter.upload('client-9', '127.0.0.1')).toBe(0)
    expect(limiter.upload('client-9', '::ffff:127.0.0.1')).toBe(0)
  })
})

describe('networkOf', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:db8:0:0:1:2:3:4', '2001:db8:0:0'],
    ['2001:0db8:1:2:ffff::', '2001:db8:1:2'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['::1', '0:0:0:0'],
    ['unknown', 'unknown'],
  ])('should take %s for one of %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})

import { setMaxListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { createWrongTokens } from '../../../../server/gateway/wrong-tokens.ts'

describe('createWrongTokens', () => {
  it('should answer the first at once and double the delay of each that follows', () => {
    const { tokens } = start()
    const delays = Array.from({ length: 13 }, () => tokens.delayOf('10.0.0.1'))
    expect(delays).toEqual([0, 0, 0, 0, 0, 0.25, 0.5, 1, 2, 4, 8, 10, 10])
  })

  it('should know an address by its network, and others not by it', () => {
    const { tokens } = start()
    for (let i = 0; i < 8; i++) tokens.delayOf(`2001:db8:0:1::${i}`)
    expect(tokens.delayOf('2001:db8:0:1:ffff::9')).toBeGreaterThan(0)
    expect(tokens.delayOf('2001:db8:0:2::9')).toBe(0)
  })

  it('should forget what was long ago', () => {
    const { tokens, pass } = start()
    for (let i = 0; i < 20; i++) tokens.delayOf('10.0.0.1')
    pass(14 * 60)
    expect(tokens.delayOf('10.0.0.1')).toBe(10)
    pass(16 * 60)
    expect(tokens.delayOf('10.0.0.1')).toBe(0)
  })

  it('should hold a bounded number of refusals of one address', async () => {
    const { tokens } = start()
    const end = new AbortController()
    setMaxListeners(0, end.signal)
    const waits = Array.from({ length: 64 }, () => tokens.wait('10.0.0.1', 60, end.signal))
    expect(tokens.crowding('10.0.0.1')).toBe(10)
    expect(tokens.crowding('10.0.0.2')).toBe(0)
    end.abort()
    await Promise.all(waits)
    expect(tokens.crowding('10.0.0.1')).toBe(0)
  })
})

function start() {
  let now = 5
  return {
    tokens: createWrongTokens(() => now),
    pass: (seconds: number) => (now += seconds),
  }
}

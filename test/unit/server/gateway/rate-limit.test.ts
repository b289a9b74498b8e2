import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRateLimit } from '../../../../server/gateway/rate-limit.ts'

describe('createRateLimit', () => {
  it('should let a burst pass, then one after the other', () => {
    const { limit } = startLimit({ perSecond: 2, burst: 3 })
    expect([1, 2, 3, 4, 5, 6].map(() => limit.take('ada'))).toEqual([0, 0, 0, 0.5, 1, 1.5])
  })

  it('should forgive with time', () => {
    const { limit, pass } = startLimit({ perSecond: 2, burst: 1 })
    limit.take('ada')
    pass(0.25)
    expect(limit.take('ada')).toBeCloseTo(0.25)
    pass(10)
    expect(limit.take('ada')).toBe(0)
  })

  it('should count each name by itself', () => {
    const { limit } = startLimit({ perSecond: 1, burst: 1 })
    limit.take('ada')
    expect(limit.take('bob')).toBe(0)
    expect(limit.take('ada')).toBe(1)
  })

  it('should never tell anybody to wait longer than the longest time', () => {
    const { limit } = startLimit({ perSecond: 1, burst: 1 })
    const waits = Array.from({ length: 100 }, () => limit.take('ada'))
    expect(Math.max(...waits)).toBe(30)
  })

  it('should forget the name that came longest ago, when there are too many', () => {
    const { limit } = startLimit({ perSecond: 1, burst: 1 }, { mostNames: 2 })
    for (const name of ['ada', 'bob', 'ada', 'cid']) limit.take(name)
    expect(limit.size()).toBe(2)
    expect(limit.take('bob')).toBe(0)
  })

  it('should let no more pass than the rate and the burst allow, whatever comes when', () => {
    const history = fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { maxLength: 60 })
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 5 }), (pauses, burst) => {
        const perSecond = 2
        const { limit, pass } = startLimit({ perSecond, burst })
        let seconds = 0
        let passed = 0
        for (const pause of pauses) {
          pass(pause)
          seconds += pause
          if (limit.take('ada') === 0) passed++
          expect(passed).toBeLessThanOrEqual(burst + perSecond * seconds + 1e-3)
        }
      }),
      { seed: 7 },
    )
  })

  it('should find room for those who come back when they were told to', () => {
    // A thousand clients at once, of which fifty a second are let in beyond a hundred.
    const { limit, pass, now } = startLimit({ perSecond: 50, burst: 100 })
    const waits = Array.from({ length: 1000 }, () => limit.take('proxy')).filter((s) => s > 0)
    expect(waits).toHaveLength(900)
    expect(Math.max(...waits)).toBeCloseTo(900 / 50)
    const begun = now()
    const again = waits.map((wait) => {
      pass(begun + wait - now() + 1e-6)
      return limit.take('proxy')
    })
    expect(again.every((wait) => wait === 0)).toBe(true)
  })
})

function startLimit(
  rate: { perSecond: number; burst: number },
  { mostNames = 100 }: { mostNames?: number } = {},
) {
  let now = 1000
  return {
    limit: createRateLimit(rate, { mostNames, longestWait: 30, clock: () => now }),
    pass: (seconds: number) => (now += seconds),
    now: () => now,
  }
}

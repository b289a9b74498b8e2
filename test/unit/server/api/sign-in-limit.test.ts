import { describe, expect, it } from 'vitest'
import type { GraftError } from '../../../../shared/errors.ts'
import { createSignInLimit } from '../../../../server/api/sign-in-limit.ts'

const waitOf = (check: () => void): number => {
  try {
    check()
    return 0
  } catch (error) {
    return (error as GraftError).retryAfterSeconds ?? 0
  }
}

describe('createSignInLimit', () => {
  it('should let a few wrong attempts pass, then wait twice as long after each, up to a quarter of an hour', () => {
    let now = 0
    const limit = createSignInLimit(() => now)
    const waits: number[] = []
    for (let i = 0; i < 20; i++) {
      const wait = waitOf(() => limit.check('a', `secret ${i}`))
      waits.push(wait)
      now += wait * 1000
      limit.failed('a', `secret-number-${i}`)
    }
    expect(waits.slice(0, 9)).toEqual([0, 0, 0, 0, 0, 1, 2, 4, 8])
    expect(Math.max(...waits)).toBe(900)
  })

  it('should know a token that is tried from many addresses, and leave others alone', () => {
    const limit = createSignInLimit(() => 0)
    for (let i = 0; i < 6; i++) limit.failed(`address ${i}`, `graft_abcdef-and-${i}`)
    expect(waitOf(() => limit.check('another', 'graft_abcdef-and-more'))).toBeGreaterThan(0)
    expect(waitOf(() => limit.check('another', 'graft_zyxwvu'))).toBe(0)
  })

  it('should forget with a right attempt, and after an hour', () => {
    let now = 0
    const limit = createSignInLimit(() => now)
    const fail = () => {
      for (let i = 0; i < 6; i++) limit.failed('a', 's')
    }
    fail()
    limit.succeeded('a', 's')
    expect(waitOf(() => limit.check('a', 's'))).toBe(0)
    fail()
    now += 2 * 3_600_000
    limit.failed('a', 's')
    expect(waitOf(() => limit.check('a', 's'))).toBe(0)
  })
})

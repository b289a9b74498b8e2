import { GraftError } from '../../shared/errors.ts'

/** Wrong attempts that cost nothing; behind them each doubles the wait. */
const FREE_ATTEMPTS = 5
const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 15 * 60_000
/** After so long without another wrong attempt, earlier ones are forgotten. */
const FORGET_MS = 60 * 60_000
const MOST_REMEMBERED = 10_000
/** As much of a token as tells attempts at one of them from others; the rest stays secret. */
const PREFIX_LENGTH = 12

/** Waits that grow with wrong attempts, per address and per beginning of a token. */
export interface SignInLimit {
  /** @throws GraftError GRAFT_RATE_LIMITED with the seconds to wait, while they last */
  readonly check: (address: string, secret: string) => void
  readonly failed: (address: string, secret: string) => void
  readonly succeeded: (address: string, secret: string) => void
}

interface Attempts {
  count: number
  last: number
}

export function createSignInLimit(now: () => number = Date.now): SignInLimit {
  const remembered = new Map<string, Attempts>()

  function waitOf(key: string): number {
    const attempts = remembered.get(key)
    if (attempts === undefined || attempts.count < FREE_ATTEMPTS) return 0
    const wait = Math.min(FIRST_WAIT_MS * 2 ** (attempts.count - FREE_ATTEMPTS), LONGEST_WAIT_MS)
    return attempts.last + wait - now()
  }

  function note(key: string): void {
    const known = remembered.get(key)
    const count = known === undefined || now() - known.last > FORGET_MS ? 1 : known.count + 1
    // Behind all others, so that the first one is the one that was longest without another.
    remembered.delete(key)
    remembered.set(key, { count, last: now() })
    if (remembered.size > MOST_REMEMBERED) remembered.delete(remembered.keys().next().value!)
  }

  return {
    check(address, secret) {
      const wait = Math.max(...keysOf(address, secret).map(waitOf))
      if (wait <= 0) return
      const seconds = Math.ceil(wait / 1000)
      throw new GraftError(
        'GRAFT_RATE_LIMITED',
        `Too many wrong attempts to sign in: the next one is heard in ${seconds} s.`,
        { retryAfterSeconds: seconds },
      )
    },
    failed(address, secret) {
      keysOf(address, secret).forEach(note)
    },
    succeeded(address, secret) {
      for (const key of keysOf(address, secret)) remembered.delete(key)
    },
  }
}

function keysOf(address: string, secret: string): [string, string] {
  return [`address ${address}`, `token ${secret.slice(0, PREFIX_LENGTH)}`]
}

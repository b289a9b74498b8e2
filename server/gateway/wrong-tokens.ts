import { networkOf } from './gateway-limits.ts'

/** Slows those down who try tokens that are none. */
export interface WrongTokens {
  /** Seconds until the refusal of one more wrong token may be told to this address. */
  readonly delayOf: (address: string) => number
  /** Seconds after which this address must come again, as too many of its refusals wait to be told; else 0. */
  readonly crowding: (address: string) => number
  /** Resolves when `seconds` are over, or `signal` is aborted. */
  readonly wait: (address: string, seconds: number, signal: AbortSignal) => Promise<void>
}

/** Wrong tokens that are answered at once: one that was mistyped, a thousand clients of a revoked one slowly. */
const FREE_TRIES = 5
const FIRST_DELAY = 0.25
const LONGEST_DELAY = 10
/** Seconds after which an address that has tried no wrong token has a clean sheet. */
const FORGET_AFTER = 15 * 60
/** Refusals of one address that wait: each is a connection that is held open. */
const MOST_WAITING = 64
const MOST_ADDRESSES = 20_000

interface Record {
  readonly tries: number
  readonly at: number
}

/**
 * A wrong token is answered the later, the more of them an address has tried. A right one is let in at once whatever came
 * from its address before: a clinic's clients are not locked out by one among them.
 *
 * @param clock seconds
 */
export function createWrongTokens(
  clock: () => number = () => performance.now() / 1000,
): WrongTokens {
  const records = new Map<string, Record>()
  const waiting = new Map<string, number>()

  return {
    delayOf(address) {
      const network = networkOf(address)
      const now = clock()
      const before = records.get(network)
      const isFresh = before !== undefined && now - before.at < FORGET_AFTER
      const tries = (isFresh ? before.tries : 0) + 1
      records.delete(network)
      records.set(network, { tries, at: now })
      const [oldest] = records.keys()
      if (records.size > MOST_ADDRESSES) records.delete(oldest!)
      if (tries <= FREE_TRIES) return 0
      return Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** Math.min(30, tries - FREE_TRIES - 1))
    },

    crowding: (address) =>
      (waiting.get(networkOf(address)) ?? 0) < MOST_WAITING ? 0 : LONGEST_DELAY,

    async wait(address, seconds, signal) {
      const network = networkOf(address)
      waiting.set(network, (waiting.get(network) ?? 0) + 1)
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer)
          signal.removeEventListener('abort', done)
          resolve()
        }
        const timer = setTimeout(done, seconds * 1000)
        signal.addEventListener('abort', done, { once: true })
        if (signal.aborted) done()
      })
      const left = (waiting.get(network) ?? 1) - 1
      if (left > 0) waiting.set(network, left)
      else waiting.delete(network)
    },
  }
}

/** What may pass on average, and how much at once. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** Says how long each of many has to wait, by name; in memory that has a bound. */
export interface RateLimit {
  /**
   * One more of this name has come.
   *
   * @returns 0 when it may pass; else seconds after which to come again. Those that are sent away together are told times one
   *   behind the other, so that they do not come back together either, and find room then
   */
  readonly take: (name: string) => number
  /** Names that are remembered. */
  readonly size: () => number
}

export interface RateLimitOptions {
  /** Names remembered at most; beyond, the one that came longest ago is forgotten, and may have its burst again. */
  readonly mostNames: number
  /** Longest time that is told, in seconds; who would have to wait longer does not push others back any further. */
  readonly longestWait: number
  /** Seconds, not of the day: as `performance.now()` has them in milliseconds. */
  readonly clock: () => number
}

/** Of one name, in seconds of the clock. */
interface Times {
  /** Theoretical arrival time of the next one. */
  readonly arrival: number
  /** Up to when room is promised to those that were sent away. */
  readonly promised: number
}

/** Seconds; sums of thousands of gaps are not exact. */
const ROUNDING = 1e-6

/**
 * The generic cell rate algorithm: each name has a theoretical arrival time, which every passage moves on by 1 / rate, and
 * may be ahead of it by its burst.
 */
export function createRateLimit({ perSecond, burst }: Rate, options: RateLimitOptions): RateLimit {
  const { mostNames, longestWait, clock } = options
  const gap = 1 / perSecond
  const tolerance = (burst - 1) * gap
  /** Those that came last are at the end. */
  const known = new Map<string, Times>()

  function remember(name: string, times: Times): void {
    known.delete(name)
    known.set(name, times)
    if (known.size <= mostNames) return
    const [oldest] = known.keys()
    known.delete(oldest!)
  }

  return {
    take(name) {
      const now = clock()
      const { arrival: last = now, promised = now } = known.get(name) ?? {}
      const arrival = Math.max(last, now)
      const free = arrival - tolerance
      if (free <= now + ROUNDING) {
        remember(name, { arrival: arrival + gap, promised })
        return 0
      }
      const next = Math.max(promised + gap, free)
      const wait = Math.min(next - now, longestWait)
      remember(name, { arrival, promised: Math.min(next, now + longestWait) })
      return wait
    },
    size: () => known.size,
  }
}

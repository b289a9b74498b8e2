import { randomFillSync } from 'node:crypto'

/** Words drawn at a time. */
const WORDS = 4096

/**
 * Standard normal numbers from the system's secure random numbers, by Box and Muller. Not by the run's seed, as all other
 * randomness is: the coordinator knows that, and would take the noise off again.
 *
 * Of 53 random bits each, which is finer than the float32 they are rounded to; that floating-point noise of any kind leaks a
 * little in its lowest bits (Mironov 2012) is not dealt with.
 */
export function createSecureNormal(): () => number {
  const words = new Uint32Array(WORDS)
  let next = WORDS
  let spare: number | null = null

  function word(): number {
    if (next === WORDS) {
      randomFillSync(words)
      next = 0
    }
    return words[next++]!
  }

  /** Above 0, at most 1. */
  function uniform(): number {
    return ((word() >>> 5) * 2 ** 26 + (word() >>> 6) + 1) / 2 ** 53
  }

  return () => {
    if (spare !== null) {
      const kept = spare
      spare = null
      return kept
    }
    const radius = Math.sqrt(-2 * Math.log(uniform()))
    const angle = 2 * Math.PI * uniform()
    spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }
}

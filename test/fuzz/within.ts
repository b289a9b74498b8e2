import { setTimeout as delay } from 'node:timers/promises'

/** @throws Error with `problem` when the work takes longer */
export async function within<Result>(
  seconds: number,
  work: Promise<Result>,
  problem: string,
): Promise<Result> {
  const early = new AbortController()
  const late = delay(seconds * 1000, undefined, { signal: early.signal }).then(() => {
    throw new Error(`${problem} It was waited for ${seconds} s.`)
  })
  late.catch(() => undefined)
  try {
    return await Promise.race([work, late])
  } finally {
    early.abort()
  }
}

import { setTimeout as delay } from 'node:timers/promises'
import { type ErrorCode, GraftError } from '../../shared/errors.ts'

/** Pause between two attempts. */
const PAUSE_MS = 1_000

export interface Patience {
  /** Longest wait of one call. */
  readonly seconds: number
  /** Told once when the server stops answering, and once when it answers again. */
  readonly onSilence: (error: GraftError) => void
  readonly onAnswer: () => void
  /** Ends all waiting. */
  readonly signal: AbortSignal
}

/** @param again what is called instead of `call` from the second attempt on */
export type Insist = <Result>(
  call: () => Promise<Result>,
  again?: () => Promise<Result>,
) => Promise<Result>

/** Calls again and again while the answer is an error of this code: a server that is silent may come back. */
export function createInsist(
  code: ErrorCode,
  { seconds, onSilence, onAnswer, signal }: Patience,
): Insist {
  let isSilent = false
  return async (call, again = call) => {
    const patientUntil = performance.now() + seconds * 1000
    for (let attempt = call; ; attempt = again) {
      try {
        const result = await attempt()
        if (isSilent) onAnswer()
        isSilent = false
        return result
      } catch (error) {
        const isPassing = error instanceof GraftError && error.code === code
        if (!isPassing || performance.now() > patientUntil) throw error
        if (!isSilent) onSilence(error)
        isSilent = true
        await delay(PAUSE_MS, undefined, { signal })
      }
    }
  }
}

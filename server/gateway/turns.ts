import { setTimeout as delay } from 'node:timers/promises'

/**
 * Lets messages of one connection pass one behind the other, and none before its time.
 *
 * @param waitFor seconds until the next may pass; 0 when it may
 * @returns resolves when the message may be answered
 */
export function createTurns(): (waitFor: () => number) => Promise<void> {
  let last: Promise<void> | null = null

  async function untilMayPass(before: Promise<void> | null, waitFor: () => number): Promise<void> {
    // Chunks that overtook each other would be taken for a gap.
    if (before !== null) await before
    for (let wait = waitFor(); wait > 0; wait = waitFor()) await delay(wait * 1000)
  }

  return async (waitFor) => {
    const turn = untilMayPass(last, waitFor)
    last = turn
    await turn
    if (last === turn) last = null
  }
}

import { type Blow, isDue } from './plan.ts'

/** Lets planned blows fall, one after the other. */
export interface Blows<Stage extends string> {
  /** Something was seen: the next blow falls when it is due. */
  see(seen: { readonly round: number; readonly stage: Stage }): void
  /** Who was struck is back: the next blow may fall. */
  rearm(): void
  /** No more blows. */
  stop(): void
}

/** @param strike called once a blow; nothing is due again before {@link Blows.rearm} */
export function createBlows<Stage extends string, Planned extends Blow<Stage>>(
  planned: readonly Planned[],
  stages: readonly Stage[],
  strike: (blow: Planned) => void,
): Blows<Stage> {
  const waiting = [...planned]
  let isArmed = true
  let timer: NodeJS.Timeout | undefined
  return {
    see(seen) {
      const [next] = waiting
      if (!isArmed || next === undefined || !isDue(next, seen, stages)) return
      waiting.shift()
      isArmed = false
      // At once means at once: between this and the next event may lie less than a timer's millisecond.
      if (next.delayMs === 0) strike(next)
      else timer = setTimeout(() => strike(next), next.delayMs)
    },
    rearm() {
      isArmed = true
    },
    stop() {
      clearTimeout(timer)
      waiting.length = 0
    },
  }
}

/** Stages of `graft fuse`, in order. */
export type FusePhase = 'read' | 'compare' | 'fuse' | 'tune' | 'judge'

/** Wall-clock time by phase; a phase that is entered again goes on. */
export function createPhaseClock(onEnter: ((phase: FusePhase) => void) | undefined) {
  const phases: Record<FusePhase, number> = { read: 0, compare: 0, fuse: 0, tune: 0, judge: 0 }
  let [current, since]: [FusePhase | undefined, number] = [undefined, performance.now()]
  const settle = (): void => {
    const now = performance.now()
    if (current !== undefined) phases[current] += (now - since) / 1000
    since = now
  }
  return {
    enter(phase: FusePhase): void {
      settle()
      current = phase
      onEnter?.(phase)
    },
    stop(): Record<FusePhase, number> {
      settle()
      return phases
    },
  }
}

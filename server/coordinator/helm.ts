import type { Helm, SteeredRun } from './session.ts'

/** Nobody steers anything yet. */
export function createHelm(): Helm {
  let steered: SteeredRun | null = null
  let tail: Promise<unknown> = Promise.resolve()
  return {
    get steered() {
      return steered
    },
    take(run) {
      steered = run
    },
    leave() {
      steered = null
    },
    exclusively(work) {
      const result = tail.then(work)
      tail = result.catch(() => undefined)
      return result
    },
  }
}

import { hear, NOTHING_HEARD, type LiveMessage, type LiveState } from './live-state.ts'

/** Holds the newest state; who listens is told after each message that changed it. */
export interface LiveStore {
  readonly read: () => LiveState
  readonly tell: (message: LiveMessage) => void
  /** @returns how to stop listening */
  readonly subscribe: (listener: () => void) => () => void
}

export function createLiveStore(): LiveStore {
  let state = NOTHING_HEARD
  const listeners = new Set<() => void>()
  return {
    read: () => state,
    tell: (message) => {
      const next = hear(state, message)
      if (next === state) return
      state = next
      for (const listener of [...listeners]) listener()
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

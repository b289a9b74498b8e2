/** Tells who holds something open for an operator that a session or a token has ended. */
export interface AccessWatch {
  readonly sessionEnded: (id: string) => void
  readonly tokenRevoked: (id: string) => void
  readonly listen: (listener: AccessListener) => () => void
}

export interface AccessListener {
  readonly sessionEnded: (id: string) => void
  readonly tokenRevoked: (id: string) => void
}

export function createAccessWatch(): AccessWatch {
  const listeners = new Set<AccessListener>()
  return {
    sessionEnded(id) {
      for (const listener of listeners) listener.sessionEnded(id)
    },
    tokenRevoked(id) {
      for (const listener of listeners) listener.tokenRevoked(id)
    },
    listen(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

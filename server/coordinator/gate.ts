/** What work waits at while it is closed. */
export interface Gate {
  readonly isClosed: boolean
  open(): void
  close(): void
  /** Resolves as soon as it is open. @throws the reason of `signal` */
  passed(signal: AbortSignal): Promise<void>
}

export function createGate(isClosed = false): Gate {
  const waiting = new Set<() => void>()
  return {
    get isClosed() {
      return isClosed
    },
    open() {
      isClosed = false
      for (const wake of [...waiting]) wake()
    },
    close() {
      isClosed = true
    },
    async passed(signal) {
      while (isClosed) {
        signal.throwIfAborted()
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake)
            signal.removeEventListener('abort', wake)
            resolve()
          }
          waiting.add(wake)
          signal.addEventListener('abort', wake, { once: true })
        })
      }
      signal.throwIfAborted()
    },
  }
}

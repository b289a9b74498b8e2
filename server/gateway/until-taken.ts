/** The part of a `net.Socket` that says what it has taken. */
interface Wire {
  /** Bytes that were written to it and that it has not taken. */
  readonly writableLength: number
  readonly destroyed: boolean
  readonly once: (event: 'drain' | 'close', listener: () => void) => unknown
  readonly off: (event: 'drain' | 'close', listener: () => void) => unknown
}

/**
 * Says when a connection has taken what was written to it so far: the rest is the machine's, and no more in this process.
 *
 * @returns resolves at once where nothing waits, and when the connection is gone
 */
export function createUntilTaken(wire: Wire): () => Promise<void> {
  /** All who wait share it, as each would listen. */
  let taken: Promise<void> | null = null

  function listen(): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        wire.off('drain', end)
        wire.off('close', end)
        taken = null
        resolve()
      }
      wire.once('drain', end)
      wire.once('close', end)
    })
  }

  return async () => {
    if (wire.writableLength === 0 || wire.destroyed) return
    await (taken ??= listen())
  }
}

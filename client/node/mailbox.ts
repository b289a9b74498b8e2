/** Messages that wait for one reader, in the order in which they came. */
export interface Mailbox<Message> {
  readonly put: (message: Message) => void
  /** The oldest message, once there is one. Rejects with the signal's reason when that is aborted. */
  take(signal: AbortSignal): Promise<Message>
}

export function createMailbox<Message>(): Mailbox<Message> {
  const waiting: Message[] = []
  let wake: (() => void) | null = null

  async function take(signal: AbortSignal): Promise<Message> {
    for (;;) {
      signal.throwIfAborted()
      const message = waiting.shift()
      if (message !== undefined) return message
      await new Promise<void>((resolve) => {
        wake = () => {
          signal.removeEventListener('abort', wake!)
          resolve()
        }
        signal.addEventListener('abort', wake, { once: true })
      })
    }
  }

  return {
    put: (message) => {
      waiting.push(message)
      wake?.()
    },
    take,
  }
}

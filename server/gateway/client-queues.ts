import type { ClientId } from '../../shared/ids.ts'

/**
 * One queue a client: its tasks run one after the other, in the order asked for, and a failed one does not
 * stop the next. Tasks of different clients run beside each other.
 */
export function createClientQueues() {
  const tails = new Map<ClientId, Promise<unknown>>()
  return async <Result>(key: ClientId, task: () => Promise<Result>): Promise<Result> => {
    const result = (tails.get(key) ?? Promise.resolve()).then(task)
    const tail = result.catch(() => undefined)
    tails.set(key, tail)
    try {
      return await result
    } finally {
      if (tails.get(key) === tail) tails.delete(key)
    }
  }
}

/** Runs tasks of one key one after the other, in the order they were added. */
export interface SerialQueue {
  /** Settles as `task` does; a task that fails does not hold up the next. */
  add<Result>(key: string, task: () => Promise<Result>): Promise<Result>
  /** Resolves when every task added so far is done. */
  settled(): Promise<void>
}

export function createSerialQueue(): SerialQueue {
  /** For each key, the last task's end; never rejects. */
  const tails = new Map<string, Promise<unknown>>()

  return {
    add: (key, task) => {
      const result = (tails.get(key) ?? Promise.resolve()).then(task)
      const tail = result
        .catch(() => undefined)
        .then(() => {
          if (tails.get(key) === tail) tails.delete(key)
        })
      tails.set(key, tail)
      return result
    },
    settled: async () => {
      await Promise.all(tails.values())
    },
  }
}

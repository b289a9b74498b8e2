/** Runs tasks a few at a time, in the order in which they came; returns what the task returns. */
export type Turns = <Result>(task: () => Promise<Result>) => Promise<Result>

/** @param atOnce tasks that run beside each other; a task that fails makes room as every other does */
export function createTurns(atOnce: number): Turns {
  const waiting: (() => void)[] = []
  let free = atOnce

  return async (task) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve))
    else free--
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      // The room goes to who waits longest, and not to who comes just now.
      if (next === undefined) free++
      else next()
    }
  }
}

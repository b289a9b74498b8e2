import { setTimeout as delay } from 'node:timers/promises'

/**
 * Faults that come one after the other, again and again, until it is disposed of.
 *
 * @param strike what a fault does when its time has come; rejects with the signal's reason when it is told to end
 */
export function startTrouble<Fault extends { readonly afterMs: number }>(
  faults: readonly Fault[],
  strike: (fault: Fault, signal: AbortSignal) => Promise<void> | void,
): AsyncDisposable {
  const over = new AbortController()
  const { signal } = over

  async function run(): Promise<void> {
    for (let index = 0; faults.length > 0; index = (index + 1) % faults.length) {
      const fault = faults[index]!
      await delay(fault.afterMs, undefined, { signal })
      await strike(fault, signal)
    }
  }

  const trouble = run().catch(() => undefined)
  return {
    async [Symbol.asyncDispose]() {
      over.abort()
      await trouble
    },
  }
}

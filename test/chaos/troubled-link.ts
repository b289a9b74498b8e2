import { setTimeout as delay } from 'node:timers/promises'
import { startTcpRelay, type TcpRelay } from '../support/tcp-relay.ts'
import type { LinkFault } from './plan.ts'

export interface TroubledLink {
  readonly url: string
  /** Times that it was cut, and slowed down. */
  readonly counts: { cuts: number; slowed: number }
  [Symbol.asyncDispose](): Promise<void>
}

/** A client's way to the coordinator, on which the planned faults come one after the other, again and again. */
export async function startTroubledLink(
  target: string,
  faults: readonly LinkFault[],
  onBytes: (bytes: number) => void,
): Promise<TroubledLink> {
  const relay = await startTcpRelay(target)
  relay.onBytes(onBytes)
  const counts = { cuts: 0, slowed: 0 }
  const over = new AbortController()
  const trouble = strike(relay, faults, { counts, signal: over.signal }).catch(() => undefined)
  return {
    url: relay.url,
    counts,
    async [Symbol.asyncDispose]() {
      over.abort()
      await trouble
      await relay[Symbol.asyncDispose]()
    },
  }
}

async function strike(
  relay: TcpRelay,
  faults: readonly LinkFault[],
  { counts, signal }: { counts: TroubledLink['counts']; signal: AbortSignal },
): Promise<void> {
  for (let index = 0; faults.length > 0; index = (index + 1) % faults.length) {
    const { afterMs, fault } = faults[index]!
    await delay(afterMs, undefined, { signal })
    if (fault.type === 'cut') {
      relay.cut(fault.downMs)
      counts.cuts++
    } else if (fault.type === 'slow') {
      relay.setPace(fault)
      counts.slowed++
    } else relay.setPace(null)
  }
}

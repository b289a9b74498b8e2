import { startTcpRelay } from '../support/tcp-relay.ts'
import type { LinkFault } from './plan.ts'
import { startTrouble } from './trouble.ts'

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
  const trouble = startTrouble(faults, ({ fault }) => {
    if (fault.type === 'cut') {
      relay.cut(fault.downMs)
      counts.cuts++
    } else if (fault.type === 'slow') {
      relay.setPace(fault)
      counts.slowed++
    } else relay.setPace(null)
  })
  return {
    url: relay.url,
    counts,
    async [Symbol.asyncDispose]() {
      await trouble[Symbol.asyncDispose]()
      await relay[Symbol.asyncDispose]()
    },
  }
}

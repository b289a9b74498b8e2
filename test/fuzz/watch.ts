import { setTimeout as delay } from 'node:timers/promises'
import type { Sample } from './coordinator/sample.ts'
import type { WatchedCoordinator } from './coordinator/watched-coordinator.ts'

/** MiB that live objects may grow from the first tenth of a stage to its end: far below a leak of 1 KiB a message. */
export const HEAP_GROWTH_MB = 16
/** The same for the whole process, whose allocator gives back late. */
export const RSS_GROWTH_MB = 96
/** Longest stretch without a turn of the event loop; reported, and a violation only beyond this. */
export const LONGEST_BLOCK_MS = 5_000

/** Parts of a stage between samples. */
const PARTS = 20

/** Memory of the coordinator while malformed things arrive. */
export interface Watch {
  readonly stage: string
  readonly samples: readonly (Sample & { readonly sent: number })[]
  /** To be called after each thing sent. */
  onSent(): Promise<void>
}

export function watchStage(stage: string, coordinator: WatchedCoordinator, count: number): Watch {
  const samples: (Sample & { sent: number })[] = []
  let sent = 0
  // One after the other, whoever asks.
  let sampling: Promise<void> = Promise.resolve()
  async function take(at: number): Promise<void> {
    samples.push({ ...(await coordinator.sample()), sent: at })
  }
  return {
    stage,
    samples,
    async onSent() {
      sent++
      const at = sent
      if (
        at !== count &&
        Math.floor((at * PARTS) / count) === Math.floor(((at - 1) * PARTS) / count)
      )
        return
      sampling = sampling.then(() => take(at))
      await sampling
    },
  }
}

/** Timers and files that the process itself may have more of: its database opens files as it needs them. */
const MORE_HANDLES = 8

const handlesOf = ({ resources, openFiles }: Sample) => ({
  sockets: resources['TCPSocketWrap'] ?? 0,
  timers: resources['Timeout'] ?? 0,
  files: openFiles ?? 0,
})

export function describeHandles(sample: Sample): string {
  const { sockets, timers, files } = handlesOf(sample)
  return `${sockets} sockets, ${timers} timers, ${files} files`
}

/** Whether something was left open: a socket, or more timers or files than a few. */
export function hasMoreHandles(sample: Sample, before: Sample): boolean {
  const [now, then] = [handlesOf(sample), handlesOf(before)]
  if (now.sockets !== then.sockets) return true
  return now.timers > then.timers + MORE_HANDLES || now.files > then.files + MORE_HANDLES
}

/** The coordinator as soon as it has no more handles than before, or after ten seconds. */
export async function settled(coordinator: WatchedCoordinator, before?: Sample): Promise<Sample> {
  await delay(1000)
  for (let attempt = 0; ; attempt++) {
    const sample = await coordinator.sample()
    if (!hasMoreHandles(sample, before ?? sample) || attempt === 40) return sample
    await delay(250)
  }
}

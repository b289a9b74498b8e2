import { setTimeout as delay } from 'node:timers/promises'
import type { Sample } from '../support/memory-sample.ts'
import type { WatchedCoordinator } from '../support/watched-coordinator.ts'

/** MiB that live objects may grow from the first tenth of a stage to its end: in a full run, 93 bytes a message. */
export const HEAP_GROWTH_MB = 8
/** The same for the whole process, whose allocator gives back late. */
export const RSS_GROWTH_MB = 48
/** Longest stretch without a turn of the event loop; reported, and a violation only beyond this. */
export const LONGEST_BLOCK_MS = 5_000

/** Samples of a stage. */
const SAMPLES = 10

/** Memory of the coordinator while malformed things arrive. */
export interface Watch {
  readonly stage: string
  readonly samples: readonly (Sample & { readonly sent: number })[]
  /** To be called after each thing sent. */
  onSent(): Promise<void>
}

export function watchStage(
  stage: string,
  coordinator: WatchedCoordinator,
  count: number,
  onSample: (line: string) => void = () => undefined,
): Watch {
  const samples: (Sample & { sent: number })[] = []
  let sent = 0
  // One after the other, whoever asks.
  let sampling: Promise<void> = Promise.resolve()
  async function take(at: number): Promise<void> {
    const sample = await coordinator.sample()
    samples.push({ ...sample, sent: at })
    onSample(`  ${at} ${stage}, resident ${sample.residentMb.toFixed(0)} MiB`)
  }
  const partsDone = (of: number) => Math.floor((of * SAMPLES) / count)
  return {
    stage,
    samples,
    async onSent() {
      const at = ++sent
      if (partsDone(at) === partsDone(at - 1)) return
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

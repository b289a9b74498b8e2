// Loaded into the coordinator's process with --import: answers its parent's questions about memory and
// handles from inside, and changes nothing else there. It takes the channel to its parent for itself: a coordinator with one
// takes itself for a part of a simulation, and serves no operators.
import { readdirSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { isMainThread } from 'node:worker_threads'
import type { Sample } from './memory-sample.ts'
import { statusBytes } from './status-bytes.ts'

const MB = 2 ** 20

const send = process.send?.bind(process)

if (isMainThread && send !== undefined) {
  delete process.send
  const delays = monitorEventLoopDelay({ resolution: 10 })
  delays.enable()
  process.on('message', () => {
    void takeSample().then((sample) => send(sample))
  })

  async function takeSample(): Promise<Sample> {
    const longestBlockMs = delays.max / 1e6
    // What finalizers release in one turn, the next collection finds.
    for (let pass = 0; pass < 3; pass++) {
      globalThis.gc?.()
      await turn()
    }
    const { rss, heapUsed, external } = process.memoryUsage()
    const resources: Record<string, number> = {}
    for (const kind of process.getActiveResourcesInfo()) {
      resources[kind] = (resources[kind] ?? 0) + 1
    }
    delays.reset()
    return {
      type: 'sample',
      residentMb: (rss - (statusBytes('RssFile') || 0)) / MB,
      heapMb: (heapUsed + external) / MB,
      peakRssMb: process.resourceUsage().maxRSS / 1024,
      resources,
      openFiles: process.platform === 'linux' ? readdirSync('/proc/self/fd').length : null,
      longestBlockMs,
    }
  }
}

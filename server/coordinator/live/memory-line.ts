import { memoryUsage } from 'node:process'
import type { RunId } from '../../../shared/ids.ts'
import type { RoundPhase } from '../round-state.ts'

/** What the process has in memory as a phase begins, in MiB. */
export interface MemoryLine {
  readonly event: 'memory'
  readonly run: RunId
  readonly round: number
  readonly phase: RoundPhase
  /** Resident, with engine and embedded database. */
  readonly rssMb: number
  readonly heapMb: number
  /** Of JavaScript's buffers: chunks under way, blocks of weights, networks that are held whole. */
  readonly buffersMb: number
}

export function memoryLine(of: Pick<MemoryLine, 'run' | 'round' | 'phase'>): MemoryLine {
  const { rss, heapUsed, arrayBuffers } = memoryUsage()
  const inMb = (bytes: number) => Math.round(bytes / 2 ** 20)
  return {
    event: 'memory',
    ...of,
    ...{ rssMb: inMb(rss), heapMb: inMb(heapUsed), buffersMb: inMb(arrayBuffers) },
  }
}

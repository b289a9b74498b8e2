import { availableParallelism, freemem } from 'node:os'

/** An engine takes all cores while it computes, so a second run gains only where it would leave many idle. */
const CORES_A_RUN = 4
/** Coordinator and workers of a run with the default network. */
const BYTES_A_RUN = 2 * 2 ** 30

export interface Machine {
  readonly cores: number
  readonly freeBytes: number
}

export function machine(): Machine {
  return { cores: availableParallelism(), freeBytes: freemem() }
}

/** Runs of a study beside each other when nobody says how many. */
export function lanesOf({ cores, freeBytes }: Machine): number {
  return Math.max(1, Math.min(Math.floor(cores / CORES_A_RUN), Math.floor(freeBytes / BYTES_A_RUN)))
}

import { availableParallelism, freemem } from 'node:os'

/** Of small networks a run keeps little more than one core busy, and at times none. */
const RUNS_A_CORE = 1.5
/** A simulation with the default network, coordinator and workers; a case of an experiment takes less. */
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
  return Math.max(1, Math.min(Math.floor(cores * RUNS_A_CORE), Math.floor(freeBytes / BYTES_A_RUN)))
}

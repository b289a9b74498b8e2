import type { Traffic } from './predict-bytes.ts'
import type { Memory } from './predict-memory.ts'
import type { TimeForecast } from './predict-time.ts'
import type { RunFacts } from './run-facts.ts'

/** What a run will take. */
export interface Forecast {
  readonly facts: RunFacts
  readonly traffic: Traffic
  /** Bytes on the coordinator's disk. */
  readonly disk: number
  readonly memory: Memory
  /** Of all processes of this machine that have a part in the run, bytes. */
  readonly here: number
  /** Null where nothing was measured. */
  readonly time: TimeForecast | null
}

import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../../shared/errors.ts'
import type { RunPlan } from '../coordinator/run-plan.ts'
import { calibrate } from './calibrate.ts'
import { type Capacity, measureCapacity } from './capacity.ts'
import { describeForecast } from './describe-forecast.ts'
import type { Forecast } from './forecast.ts'
import { predictDisk, predictTraffic } from './predict-bytes.ts'
import { predictMemory } from './predict-memory.ts'
import { predictTime } from './predict-time.ts'
import { factsOf } from './run-facts.ts'

export interface PreflightOptions {
  readonly home: string
  readonly shared: string
  /** Rounds whose updates are kept. */
  readonly keptRounds: number
  /** Whether the database is in the coordinator's process. */
  readonly isEmbedded: boolean
  /** Whether files of earlier runs lie in the same folders; what is there already is the run's own otherwise. */
  readonly isOneOfMany: boolean
  /** Processes full of clients on this machine, as of a simulation. */
  readonly workers: number
  /** Whether to measure how long parts of a round take, which takes some seconds. */
  readonly isTimed: boolean
}

/** Longest time that fusing made-up networks may take, seconds. */
const PATIENCE_SECONDS = 15
/** Of TensorFlow's libraries, what comes back as networks are trained and judged (addon-prelude.ts). Measured. */
const LIBRARY_BYTES = 60 * 2 ** 20

/** Foretells a run by its plan; writes nothing. */
export async function foresee(plan: RunPlan, options: PreflightOptions): Promise<Forecast> {
  const { keptRounds, workers, isEmbedded, isTimed } = options
  const facts = factsOf(plan)
  const library = tf.getBackend() === 'tensorflow' ? LIBRARY_BYTES : 0
  const memory = predictMemory(facts, process.memoryUsage.rss() + library, isEmbedded)
  return {
    facts,
    memory,
    traffic: predictTraffic(facts),
    disk: predictDisk(facts, { rounds: keptRounds, isEmbedded }),
    here: memory.coordinator + workers * memory.client,
    time: isTimed
      ? predictTime(facts, await calibrate(plan, PATIENCE_SECONDS), workers > 0 ? workers : null)
      : null,
  }
}

/**
 * Foretells the run, and says so.
 *
 * @returns GRAFT_RUN_TOO_LARGE naming what there is too little of; null when the run fits
 */
export async function preflight(
  plan: RunPlan,
  options: PreflightOptions & { readonly say: (line: string) => void },
): Promise<GraftError | null> {
  const forecast = await foresee(plan, options)
  const folders = [join(options.shared, 'blobs'), join(options.home, 'models')] as const
  const capacity = await measureCapacity(folders[0], options.isOneOfMany ? [] : folders)
  for (const line of describeForecast(forecast, capacity)) options.say(line)
  const problem = misfitOf(forecast, capacity)
  return problem === null ? null : new GraftError('GRAFT_RUN_TOO_LARGE', problem)
}

/** What there is too little of, one sentence; null when the run fits. */
export function misfitOf(
  { disk, here }: Pick<Forecast, 'disk' | 'here'>,
  capacity: Capacity,
): string | null {
  const missing = disk - capacity.stored
  const problems = [
    ...(here > capacity.memory
      ? [
          `takes about ${inMebibytes(here)} of memory, and there are ${inMebibytes(capacity.memory)}`,
        ]
      : []),
    ...(missing > capacity.disk
      ? [
          `takes about ${inMegabytes(missing)} more of disk, and ${inMegabytes(capacity.disk)} are free`,
        ]
      : []),
  ]
  return problems.length === 0 ? null : `The run ${problems.join('; it ')}.`
}

const inMebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`
const inMegabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`

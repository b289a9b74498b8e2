import type { GraftError } from '../../shared/errors.ts'
import type { RunPlan } from '../coordinator/run-plan.ts'
import { preflight, type PreflightOptions } from '../preflight/preflight.ts'
import type { CoordinatorOptions } from './coordinator-options.ts'

type Judged = Pick<
  CoordinatorOptions,
  'home' | 'shared' | 'databaseUrl' | 'keepUpdates' | 'workers' | 'preflight'
>

/**
 * Says what the run will take, a line at a time.
 *
 * @param also what the command line does not decide
 * @returns why it does not fit this machine; null when it does, or is to be tried all the same
 */
export async function judgeRun(
  plan: RunPlan,
  { home, shared = home, workers, keepUpdates, databaseUrl, ...options }: Judged,
  also: Pick<PreflightOptions, 'isOneOfMany' | 'isTimed'> & {
    readonly say: (line: string) => void
  },
): Promise<GraftError | null> {
  const isEmbedded = databaseUrl === undefined
  const misfit = await preflight(plan, {
    ...{ home, shared, workers, isEmbedded, keptRounds: keepUpdates, ...also },
  })
  if (misfit === null || options.preflight !== 'ignored') return misfit
  also.say(`${misfit.problem} It is tried all the same.`)
  return null
}

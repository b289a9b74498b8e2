import { join } from 'node:path'
import { readJson } from '../../shared/command/read-json.ts'
import { RunReport } from '../../shared/protocol/run-report.ts'

/** One of the runs that a simulation compares. */
export interface PlannedRun {
  /** With its options, as given. */
  readonly strategy: string
  readonly seed: number
  /** Home of its coordinator. */
  readonly folder: string
}

/** Every strategy with every seed, the strategies of one seed one behind the other. */
export function planRuns(
  strategies: readonly string[],
  seeds: readonly number[],
  folder: string,
): PlannedRun[] {
  return seeds.flatMap((seed) =>
    strategies.map((strategy) => {
      const parts = [
        ...(strategies.length > 1 ? [strategy.replace(/[^\w.=-]/g, '_')] : []),
        ...(seeds.length > 1 ? [`seed-${seed}`] : []),
      ]
      return { strategy, seed, folder: join(folder, ...parts) }
    }),
  )
}

/** The report of a run that is over, which only then tells of its simulation; undefined of one that is not. */
export async function finishedReport({ folder }: PlannedRun): Promise<RunReport | undefined> {
  const { data } = RunReport.safeParse(await readJson(join(folder, 'report.json')))
  return data?.simulation && data
}

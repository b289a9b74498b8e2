import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GraftError } from '../../shared/errors.ts'
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

/**
 * Says in a folder what it is of, so that the same command goes on there and another one does not mix with it.
 *
 * @param settings what all runs have in common, JSON
 * @throws GraftError GRAFT_OPTION_INVALID naming what differs from the simulation that the folder holds
 */
export async function claimFolder(
  folder: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<void> {
  const file = join(folder, 'simulation.json')
  const held = await readJson(file)
  if (held === undefined) {
    await mkdir(folder, { recursive: true })
    await writeFile(file, `${JSON.stringify(settings, null, 2)}\n`)
    return
  }
  const before = held as Readonly<Record<string, unknown>>
  const keys = new Set([...Object.keys(before), ...Object.keys(settings)])
  const changed = [...keys].filter(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(settings[key]),
  )
  if (changed.length === 0) return
  throw new GraftError(
    'GRAFT_OPTION_INVALID',
    `${folder} holds a simulation with another ${changed.join(', ')}; name another folder, or give the same.`,
  )
}

/** The report of a run that has done all its rounds; undefined of one that has not. */
export async function finishedReport(
  { folder }: PlannedRun,
  rounds: number,
): Promise<RunReport | undefined> {
  const { data } = RunReport.safeParse(await readJson(join(folder, 'report.json')))
  return data?.rounds.length === rounds ? data : undefined
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown
  } catch (error) {
    // A file that is cut off says as little as none.
    if (error instanceof SyntaxError) return undefined
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

import { isDeepStrictEqual } from 'node:util'
import { GraftError } from '../../../shared/errors.ts'
import type { RoundReport, RunReport } from '../../../shared/protocol/run-report.ts'
import { type Spread, spreadOf } from '../../../shared/numeric/spread.ts'

/** Runs of one strategy, by seed. */
export interface StrategyRuns {
  /** With its options, as given. */
  readonly name: string
  /** Its place in the study, which decides how it is drawn. */
  readonly style: number
  readonly runs: readonly RunReport[]
}

/** Runs that differ in strategy and seed alone. */
export interface Study {
  /** In the order of the runs. */
  readonly strategies: readonly StrategyRuns[]
  /** Ascending. */
  readonly seeds: readonly number[]
  /** Numbers of the rounds that any run has, ascending. */
  readonly rounds: readonly number[]
  /** What all runs have in common is read from it. */
  readonly first: RunReport
  /** By class number; empty where no run says how many classes there are. */
  readonly classNames: readonly string[]
}

/**
 * @param runs at least one, each with at least one round
 * @throws GraftError GRAFT_OPTION_INVALID when they cannot be compared, or two are of the same strategy and seed
 */
export function toStudy(runs: readonly RunReport[]): Study {
  const [first] = runs
  if (first === undefined) throw new RangeError('a study has at least one run')
  for (const run of runs) assertComparable(first, run)
  const names = [...new Set(runs.map(({ strategy }) => strategy))]
  const strategies = names.map((name, style) => {
    const own = runs.filter(({ strategy }) => strategy === name)
    return { name, style, runs: own.toSorted((a, b) => a.seed - b.seed) }
  })
  for (const { name, runs: own } of strategies) assertOnce(name, own)
  const rounds = runs.flatMap((run) => run.rounds.map(({ round }) => Number(round)))
  return {
    strategies,
    seeds: [...new Set(runs.map(({ seed }) => seed))].sort((a, b) => a - b),
    rounds: [...new Set(rounds)].sort((a, b) => a - b),
    first,
    classNames: classNamesOf(first),
  }
}

/** The spread over the seeds of a value of one round; runs without it are left out. */
export function overSeeds(
  { runs }: StrategyRuns,
  round: number,
  valueOf: (report: RoundReport, run: RunReport) => number | null | undefined,
): Spread | null {
  return spreadOf(
    runs.flatMap((run) => {
      const report = run.rounds.find((one) => one.round === round)
      return (report && valueOf(report, run)) ?? []
    }),
  )
}

/** The same of each run's last round. */
export function atTheEnd(
  { runs }: StrategyRuns,
  valueOf: (report: RoundReport, run: RunReport) => number | null | undefined,
): Spread | null {
  return spreadOf(runs.flatMap((run) => valueOf(lastRound(run), run) ?? []))
}

export function lastRound({ rounds }: RunReport): RoundReport {
  return rounds.at(-1)!
}

/** What decides a result, but for strategy and seed. */
function circumstances(run: RunReport): Record<string, unknown> {
  const { dataset, model, partition, clients, proxy } = run
  // Data of the user's own are held out by the seed, so their scale differs with it.
  const settings = { ...run.settings, seed: 0, strategy: '', data: run.settings?.data?.numClasses }
  return { dataset, model, partition, clients, proxy, ...settings }
}

function assertComparable(first: RunReport, run: RunReport): void {
  if (run.rounds.length === 0) {
    throw invalid(
      `The run of ${run.strategy}, seed ${run.seed}, has no round: there is nothing to show.`,
    )
  }
  const [before, after] = [circumstances(first), circumstances(run)]
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  const changed = [...keys].filter((key) => !isDeepStrictEqual(before[key], after[key]))
  if (changed.length === 0) return
  throw invalid(
    `Runs of one report differ in strategy and seed alone; these differ in ${changed.join(', ')}. Make a report of each.`,
  )
}

function assertOnce(strategy: string, runs: readonly RunReport[]): void {
  const twice = runs.find(({ seed }, i) => runs.findIndex((run) => run.seed === seed) < i)
  if (twice === undefined) return
  throw invalid(
    `There are two runs of ${strategy} with seed ${twice.seed}: name each strategy and seed once.`,
  )
}

function invalid(problem: string): GraftError {
  return new GraftError('GRAFT_OPTION_INVALID', problem)
}

function classNamesOf({ settings, rounds }: RunReport): string[] {
  const named = settings?.data?.classNames
  if (named !== undefined) return [...named]
  const [round] = rounds
  const count = round?.parents[0]?.classCounts?.length ?? round?.published.classAccuracy?.length
  return Array.from({ length: count ?? 0 }, (_, label) => String(label))
}

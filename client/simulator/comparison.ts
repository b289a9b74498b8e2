import Table from 'cli-table3'
import { spreadOf } from '../../shared/numeric/spread.ts'
import type { RoundReport, RunReport, Score } from '../../shared/protocol/run-report.ts'
import { percentSpread } from './report/format.ts'

/** What is shown of a run's last round. */
const COLUMNS: Readonly<Record<string, (round: RoundReport, run: RunReport) => Score | null>> = {
  fused: ({ fused }) => fused,
  tuned: ({ tuned }) => tuned,
  published: (_, { final }) => final,
  ensemble: ({ controls }) => controls.ensemble,
  'best parent tuned': ({ controls }) => controls.bestParentTuned,
}

/**
 * Runs that differ in their strategy and seed alone: each strategy's last round and the controls, side by side, as
 * means over the seeds with their standard deviation (of the sample, n - 1).
 *
 * @param reports at least one, each with at least one round
 */
export function comparisonTable(reports: readonly RunReport[]): string {
  const head = ['strategy', ...Object.keys(COLUMNS)]
  const table = new Table({
    head,
    style: { head: [], border: [] },
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
  })
  for (const strategy of new Set(reports.map((report) => report.strategy))) {
    const own = reports.filter((report) => report.strategy === strategy)
    const cells = Object.values(COLUMNS).map((scoreOf) =>
      spread(own.map((run) => scoreOf(run.rounds.at(-1)!, run))),
    )
    table.push([strategy, ...cells])
  }
  const [first] = reports
  const seeds = new Set(reports.map(({ seed }) => seed)).size
  // It has nothing to do with the strategy.
  const ofOne = reports.filter(({ strategy }) => strategy === first!.strategy)
  const alone = spread(ofOne.map((run) => run.rounds.at(-1)!.controls.proxyAlone))
  const over = seeds > 1 ? `, mean and standard deviation of ${seeds} seeds` : ''
  return `${table.toString()}\nAccuracy on the test split after ${roundsOf(reports)}${over}; proxy set alone: ${alone}.`
}

/** Mean accuracy, with its standard deviation where there are several; what was not measured is left out. */
function spread(scores: readonly (Score | null)[]): string {
  const found = spreadOf(scores.flatMap((score) => score?.accuracy ?? []))
  return found === null ? '-' : percentSpread(found)
}

/** As in `3 rounds`, or `2 to 5 rounds` of runs that ended at a target. */
function roundsOf(reports: readonly RunReport[]): string {
  const counts = reports.map(({ rounds }) => rounds.length)
  const [least, most] = [Math.min(...counts), Math.max(...counts)]
  const range = least === most ? String(most) : `${least} to ${most}`
  return `${range} ${most === 1 ? 'round' : 'rounds'}`
}

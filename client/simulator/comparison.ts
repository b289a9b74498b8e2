import Table from 'cli-table3'
import type { RunReport, Score } from '../../shared/protocol/run-report.ts'

/**
 * Runs that differ in their strategy alone, side by side: their last rounds and the controls that all of
 * them share.
 *
 * @param reports at least one, each with at least one round
 */
export function comparisonTable(reports: readonly RunReport[]): string {
  const table = new Table({
    head: ['strategy', 'fused', 'tuned', 'published', 'ensemble', 'best parent tuned'],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
  })
  for (const { strategy, rounds, final } of reports) {
    const { fused, tuned, controls } = rounds.at(-1)!
    const scores = [fused, tuned, final, controls.ensemble, controls.bestParentTuned]
    table.push([strategy, ...scores.map(percent)])
  }
  const { rounds } = reports[0]!
  const alone = percent(rounds.at(-1)!.controls.proxyAlone)
  return `${table.toString()}\nAccuracy on the test split after ${count(rounds.length, 'round')}; proxy set alone: ${alone}.`
}

function percent(score: Score | null): string {
  return score === null ? '-' : `${(100 * score.accuracy).toFixed(2)} %`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

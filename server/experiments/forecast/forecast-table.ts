import Table from 'cli-table3'
import type {
  ForecastReport,
  PairResult,
  Reliability,
} from '../../../shared/protocol/forecast-report.ts'
import { isWorthIt } from './forecast-reliability.ts'

/** A row for each kind of pair, then how far the forecast can be trusted. */
export function forecastTable(
  pairs: readonly PairResult[],
  report: ForecastReport['report'],
): string {
  const table = new Table({
    head: ['kind of pair', 'pairs', 'weights', 'disagree', 'CKA', 'gain', 'worth it'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  })
  for (const kind of new Set(pairs.map((pair) => pair.kind))) {
    const own = pairs.filter((pair) => pair.kind === kind)
    const mean = (of: (pair: PairResult) => number) =>
      own.reduce((sum, pair) => sum + of(pair), 0) / own.length
    const gain = 100 * mean(({ tuned, bestParentTuned }) => tuned - bestParentTuned)
    table.push([
      kind,
      own.length,
      mean(({ weightDistance }) => weightDistance ?? 0).toFixed(2),
      `${(100 * mean(({ disagreement }) => disagreement ?? 0)).toFixed(1)} %`,
      mean(({ cka }) => meanOf(cka)).toFixed(2),
      `${gain > 0 ? '+' : ''}${gain.toFixed(2)}`,
      `${own.filter(isWorthIt).length} of ${own.length}`,
    ])
  }
  const { shipped, otherDataset, otherSeed, fitted, copies } = report
  return [
    table.toString(),
    'gain: points of accuracy of nt over the best parent, both fine-tuned alike',
    lineOf('shipped forecast', shipped),
    ...(otherDataset === null ? [] : [lineOf('fitted on the other data sets', otherDataset)]),
    ...(otherSeed === null ? [] : [lineOf('fitted on the other seeds', otherSeed)]),
    `copies: nt failed for ${copies.failed} of ${copies.pairs}, foreseen for ${copies.foreseen}`,
    `fitted on all pairs: intercept ${fitted.intercept.toFixed(3)}, weights ${fitted.weights
      .map((weight) => weight.toFixed(3))
      .join(', ')}`,
  ].join('\n')
}

function lineOf(name: string, { pairs, accuracy, majority, auc, brier }: Reliability): string {
  return (
    `${name}: right for ${Math.round(accuracy * pairs)} of ${pairs} pairs, ` +
    `always the more frequent outcome ${Math.round(majority * pairs)}; ` +
    `AUC ${auc?.toFixed(2) ?? '-'}, Brier ${brier.toFixed(3)}`
  )
}

function meanOf(values: readonly (number | null)[]): number {
  const known = values.filter((value) => value !== null)
  return known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length)
}

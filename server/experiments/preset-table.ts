import Table from 'cli-table3'
import type {
  ClaimReport,
  ExperimentReport,
  Measure,
  SummaryRow,
} from '../../shared/protocol/experiment-report.ts'
import { formatStatistic, measureHead, rowText } from './format-value.ts'

/** A table a row of the grid: methods and controls down, measures across; then what came of the claims. */
export function presetTable({ means, measures, claims, seeds }: ExperimentReport): string {
  const tables = means.map((row) => `${rowText(row.row)}\n${tableOf(row, measures)}`)
  const over = seeds.length > 1 ? `Means and standard deviations of ${seeds.length} seeds.` : ''
  return [...tables, over, ...claims.map(claimText)].filter((text) => text !== '').join('\n')
}

function tableOf({ methods }: SummaryRow, measures: readonly Measure[]): string {
  const table = new Table({
    head: ['', ...measures.map(measureHead)],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', ...measures.map(() => 'right' as const)],
  })
  for (const { method, values } of methods) {
    table.push([method, ...measures.map(({ name, unit }) => formatStatistic(values[name], unit))])
  }
  const notes = methods.flatMap(({ method, note }) =>
    note === undefined ? [] : `${method}: ${note}`,
  )
  return [table.toString(), ...notes].join('\n')
}

function claimText({ source, says, outcome, why, findings }: ClaimReport): string {
  const lines = findings.map((finding) => {
    const verdict = finding.holds === null ? 'not decided' : finding.holds ? 'holds' : 'fails'
    return `    ${verdict}: ${rowText(finding.row)}: ${finding.says}`
  })
  return [`${outcome}: ${says} (${source}; ${why})`, ...lines].join('\n')
}

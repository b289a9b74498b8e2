import { spreadOf } from '../../shared/numeric/spread.ts'
import type {
  ExperimentCase,
  Row,
  Statistic,
  SummaryRow,
} from '../../shared/protocol/experiment-report.ts'

/** Means over the seeds, rows and methods in the order of the cases; what no seed measured is left out. */
export function summariseCases(cases: readonly ExperimentCase[]): SummaryRow[] {
  const byRow = groupBy(cases, ({ row }) => rowKey(row))
  return [...byRow.values()].map((own) => {
    const results = groupBy(
      own.flatMap(({ results }) => results),
      ({ method }) => method,
    )
    const methods = [...results].map(([method, ofMethod]) => {
      const names = new Set(ofMethod.flatMap(({ values }) => Object.keys(values)))
      const values: Record<string, Statistic> = {}
      for (const name of names) {
        const known = ofMethod.flatMap(({ values: { [name]: value } }) => value ?? [])
        if (known.length === 0) continue
        const isAtLeast = ofMethod.some(({ atLeast }) => atLeast?.includes(name))
        values[name] = { ...statisticOf(known), ...(isAtLeast && { isAtLeast }) }
      }
      const note = ofMethod.find((result) => result.note !== undefined)?.note
      return { method, values, ...(note !== undefined && { note }) }
    })
    return { row: own[0]!.row, methods }
  })
}

/** The same for the same row, whatever the order of its keys. */
export const rowKey = (row: Row): string => JSON.stringify(Object.entries(row).sort())

/** @param values at least one */
export function statisticOf(values: readonly number[]): Omit<Statistic, 'isAtLeast'> {
  const { mean, deviation, count } = spreadOf(values)!
  return { mean, deviation, seeds: count }
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}

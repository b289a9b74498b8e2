import type { Contribution } from './ledger.ts'

/** A parent's neuron among all neurons of a level. */
export interface Column {
  readonly parent: number
  readonly neuron: number
}

/** All parents' neurons of one level, in order. */
export interface Columns {
  /** Whose neuron each column is, [column]; those of the first parent first. */
  readonly columns: readonly Column[]
  /** s, [column] */
  readonly scores: Float64Array
  /** Neurons of the fused network. */
  readonly width: number
}

/** Columns that become one fused neuron, and the share of each; the shares sum to 1. */
export type Grouping = readonly (readonly { readonly column: number; readonly share: number }[])[]

/** Columns of parents of these widths, with their scores. @param scores [parent][neuron] */
export function columnsOf(scores: readonly Float64Array[]): Pick<Columns, 'columns' | 'scores'> {
  return {
    columns: scores.flatMap((own, parent) =>
      Array.from(own.keys(), (neuron) => ({ parent, neuron })),
    ),
    scores: Float64Array.from(scores.flatMap((own) => [...own])),
  }
}

/** Shares in proportion to the scores of a cluster. @param assignment cluster of each column */
export function groupingOf(
  assignment: Int32Array,
  scores: Float64Array,
  clusters: number,
): Grouping {
  const members = Array.from({ length: clusters }, (): number[] => [])
  assignment.forEach((cluster, column) => members[cluster]!.push(column))
  return members.map((of) => {
    const sum = of.reduce((total, column) => total + scores[column]!, 0)
    return of.map((column) => ({
      column,
      share: sum > 0 ? scores[column]! / sum : 1 / of.length,
    }))
  })
}

/** Class c of every parent, by their shares of it. @param shares [parent][class] */
export function headGrouping(
  { columns, width }: Columns,
  shares: readonly Float64Array[],
): Grouping {
  return Array.from({ length: width }, (_, neuron) =>
    columns.flatMap((column, at) =>
      column.neuron === neuron ? [{ column: at, share: shares[column.parent]![neuron]! }] : [],
    ),
  )
}

/** What each fused neuron is made of, for the ledger. */
export function contributionsOf(
  { columns, scores }: Columns,
  grouping: Grouping,
): Contribution[][] {
  return grouping.map((members) =>
    members.map(({ column, share }) => ({ ...columns[column]!, share, score: scores[column]! })),
  )
}

/** Each parent that is as wide as the fused network is a start: its own neurons are the centres. */
export function parentStarts({ columns, width }: Columns): Int32Array[] {
  const parents = [...new Set(columns.map(({ parent }) => parent))]
  return parents
    .map((parent) =>
      Int32Array.from(columns.keys()).filter((column) => columns[column]!.parent === parent),
    )
    .filter((own) => own.length === width)
}

/** Starts by chance: many where they are cheap, few where every start takes a second. */
export const restartsFor = (pairs: number): number =>
  Math.min(32, Math.max(2, Math.round(2 ** 18 / pairs)))

import Table from 'cli-table3'
import type { FusionCase, FusionSummary } from '../../../shared/protocol/fusion-table-report.ts'

export function summarise(cases: readonly FusionCase[]): FusionSummary[] {
  const keys = [...new Set(cases.map(({ dataset, parents }) => `${dataset}/${parents}`))]
  return keys.map((key) => {
    const own = cases.filter(({ dataset, parents }) => `${dataset}/${parents}` === key)
    const mean = (of: (one: FusionCase) => number) =>
      own.reduce((sum, one) => sum + of(one), 0) / own.length
    const { dataset, parents, methods } = own[0]!
    return {
      dataset,
      parents,
      seeds: own.length,
      bestParent: mean((one) => one.bestParent),
      ensemble: mean((one) => one.ensemble),
      proxyAlone: mean((one) => one.proxyAlone),
      bestParentTuned: mean((one) => one.bestParentTuned),
      bestParentDistilled: mean((one) => one.bestParentDistilled),
      methods: methods.map(({ method }, at) => ({
        method,
        zeroShot: meanOrNull(own.map((one) => one.methods[at]!.zeroShot)),
        tuned: meanOrNull(own.map((one) => one.methods[at]!.tuned)),
      })),
    }
  })
}

/** All accuracies of one case in a line, as an hour of work should not be seen at its end only. */
export function caseLine(one: FusionCase): string {
  const both = (zeroShot: number | null, tuned: number | null) =>
    `${percentOrDash(zeroShot)} -> ${percentOrDash(tuned)}`
  const methods = one.methods.map(
    ({ method, zeroShot, tuned }) => `${method} ${both(zeroShot, tuned)}`,
  )
  return [
    `${one.dataset}, ${one.parents} parents, seed ${one.seed}: ensemble ${percentOrDash(one.ensemble)}`,
    `best parent ${both(one.bestParent, one.bestParentTuned)}`,
    `distilled ${percentOrDash(one.bestParentDistilled)}`,
    `proxy alone ${percentOrDash(one.proxyAlone)}`,
    ...methods,
  ].join(', ')
}

/** A row a method, a column a data set and number of parents; accuracies in percent, right after fusion and tuned. */
export function summaryTable(rows: readonly FusionSummary[]): string {
  const table = new Table({
    head: ['', ...rows.map(({ dataset, parents }) => `${dataset}\n${parents} parents`)],
    style: { head: [], border: [], compact: true },
  })
  const both = (zeroShot: number | null, tuned: number | null) =>
    `${percentOrDash(zeroShot)} -> ${percentOrDash(tuned)}`
  table.push(
    ['best parent -> tuned', ...rows.map((row) => both(row.bestParent, row.bestParentTuned))],
    [
      'best parent -> distilled',
      ...rows.map((row) => both(row.bestParent, row.bestParentDistilled)),
    ],
    ['proxy set alone', ...rows.map((row) => percentOrDash(row.proxyAlone))],
    ['ensemble', ...rows.map((row) => percentOrDash(row.ensemble))],
    ...(rows[0]?.methods ?? []).map(({ method }, at) => [
      method,
      ...rows.map((row) => both(row.methods[at]!.zeroShot, row.methods[at]!.tuned)),
    ]),
  )
  return [table.toString(), ...rows.map(verdictOf)].join('\n')
}

/** Whether the best of the methods is above the best parent, and after tuning above both controls. */
function verdictOf(row: FusionSummary): string {
  const best = (of: 'zeroShot' | 'tuned') =>
    row.methods.reduce((a, b) => ((b[of] ?? 0) > (a[of] ?? 0) ? b : a))
  const [zeroShot, tuned] = [best('zeroShot'), best('tuned')]
  const gap = 100 * (row.ensemble - (tuned.tuned ?? 0))
  const isAbove = (accuracy: number | null, ...controls: readonly number[]) =>
    controls.every((control) => (accuracy ?? 0) > control) ? 'above' : 'NOT above'
  return (
    `${row.dataset}, ${row.parents} parents: ${zeroShot.method} ${percentOrDash(zeroShot.zeroShot)} is ` +
    `${isAbove(zeroShot.zeroShot, row.bestParent)} the best parent ${percentOrDash(row.bestParent)}; tuned, ` +
    `${tuned.method} ${percentOrDash(tuned.tuned)} is ` +
    `${isAbove(tuned.tuned, row.bestParentTuned, row.proxyAlone)} best parent + fine-tuning and proxy alone, ` +
    `${isAbove(tuned.tuned, row.bestParentDistilled)} the best parent distilled, ` +
    `${gap.toFixed(2)} points from the ensemble`
  )
}

function meanOrNull(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length < values.length
    ? null
    : known.reduce((sum, value) => sum + value, 0) / known.length
}

const percentOrDash = (value: number | null): string =>
  value === null ? '-' : (100 * value).toFixed(2)

import type { Row, Statistic, Unit } from '../../shared/protocol/experiment-report.ts'

/** A mean with its deviation, where there are several seeds; `> ` in front of what ended before it was reached. */
export function formatStatistic(statistic: Statistic | undefined, unit: Unit): string {
  if (statistic === undefined) return '-'
  const { mean, deviation, isAtLeast } = statistic
  const sign = isAtLeast === true ? '> ' : ''
  const spread = deviation === null ? '' : ` ± ${formatNumber(deviation, unit)}`
  return `${sign}${formatNumber(mean, unit)}${spread}`
}

/** Without its unit, which a table's head has: accuracies in percent. */
export function formatNumber(value: number, unit: Unit): string {
  switch (unit) {
    case 'share':
      return (100 * value).toFixed(2)
    case 'seconds':
      return value.toFixed(2)
    case 'rounds':
    case 'MB':
      return value.toFixed(1)
    case 'MiB':
    case 'updates':
      return value.toFixed(0)
  }
}

/** As in `right after fusion, %`; names that say their unit stay as they are. */
export function measureHead({ name, unit }: { name: string; unit: Unit }): string {
  if (unit === 'share') return `${name}, %`
  return name.includes(unit) ? name : `${name}, ${unit}`
}

/** As in `mnist, dirichlet:0.1, 5 clients`. */
export function rowText(row: Row): string {
  return Object.entries(row)
    .map(([key, value]) => (typeof value === 'number' ? `${value} ${key}` : value))
    .join(', ')
}

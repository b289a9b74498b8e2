import type { UpdateChecks } from '../../shared/protocol/update-checks.ts'

/** What stands out of a round's updates, a line each. */
export function checksLines({ outliers, median, attribution }: UpdateChecks): string[] {
  const odd = outliers.map(({ client, norm, isSetAside }) => {
    const times =
      median === null || median.norm === 0
        ? ''
        : ` (${(norm / median.norm).toFixed(1)} times the median)`
    return `the update of ${client} is far larger than the others${times}${isSetAside ? ': set aside' : ''}`
  })
  const scores = attribution.map(({ client, correlations }) => {
    const known = correlations.flatMap((value) => (value === null ? [] : [value.toFixed(2)]))
    return `${client} ${known.join(' ')}`
  })
  return [
    ...odd,
    ...(scores.length === 0
      ? []
      : [`scores sent beside those on the proxy set, rank correlation: ${scores.join(', ')}`]),
  ]
}

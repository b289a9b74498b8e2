import type { DiversityReport } from '../../shared/protocol/diversity-report.ts'

/** All pairs of a round in one line, as in `disagree on 4.0 to 31.5 % of the proxy examples, ...`. */
export function diversityLine({ pairs, forecast }: DiversityReport): string {
  const range = (values: readonly (number | null)[], digits: number): string => {
    const known = values.filter((value) => value !== null)
    const [least, most] = [Math.min(...known), Math.max(...known)].map((x) => x.toFixed(digits))
    return least === most ? least! : `${least} to ${most}`
  }
  const disagreements = pairs.map(({ disagreement }) => disagreement && 100 * disagreement)
  const distances = pairs.map(({ weightDistance }) => weightDistance)
  return [
    ...(disagreements.some((value) => value !== null)
      ? [`disagree on ${range(disagreements, 1)} % of the proxy examples`]
      : []),
    ...(distances.some((value) => value !== null)
      ? [`weights ${range(distances, 2)} apart`]
      : ['networks of different widths']),
    ...(forecast === null ? [] : [forecastLine(forecast)]),
  ].join(', ')
}

/** What to expect of Neuron Transplantation. */
export function forecastLine({
  probability,
  isDiverseEnough,
}: NonNullable<DiversityReport['forecast']>): string {
  const verdict = isDiverseEnough ? 'diverse enough for nt' : 'too much alike for nt'
  return `${verdict} (${(100 * probability).toFixed(0)} % that it beats the best parent, both fine-tuned)`
}

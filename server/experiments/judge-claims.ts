import type {
  ClaimReport,
  ExperimentCase,
  Finding,
  Measure,
  Row,
  Unit,
} from '../../shared/protocol/experiment-report.ts'
import { formatNumber } from './format-value.ts'
import type { Claim, Comparison, Term } from './preset.ts'
import { rowKey, statisticOf } from './summarise.ts'

/**
 * Decides claims by the cases of an experiment. A comparison holds in a row when the mean over the seeds of the
 * differences has the right sign and is further from the bound than its standard error (with one seed: than 0).
 * A claim is reproduced when all of its comparisons that could be made hold, in every row.
 *
 * @param ownData data sets of the user's own, which no claim is about
 */
export function judgeClaims(
  claims: readonly Claim[],
  cases: readonly ExperimentCase[],
  measures: readonly Measure[],
  ownData: readonly string[] = [],
): ClaimReport[] {
  const judged = cases.filter(({ row }) => !ownData.includes(String(row['dataset'])))
  const nothing =
    ownData.length === 0
      ? 'nothing of this run has to do with it'
      : `it is about other data sets than ${ownData.join(', ')}`
  return claims.map((claim) => {
    const findings = claim.comparisons.flatMap((comparison) =>
      findingsOf(comparison, judged, measures),
    )
    const { id, source, says } = claim
    return { id, source, says, ...outcomeOf(findings, nothing), findings }
  })
}

/**
 * What comparisons say of a claim, in all their rows.
 * @param nothing why, where nothing was compared
 */
export function outcomeOf(
  findings: readonly Finding[],
  nothing: string,
): Pick<ClaimReport, 'outcome' | 'why'> {
  const tested = findings.filter(({ holds }) => holds !== null)
  const holding = tested.filter(({ holds }) => holds === true)
  if (tested.length === 0) {
    const why = findings[0]?.says ?? nothing
    return { outcome: 'not tested', why }
  }
  const open = findings.length - tested.length
  const why =
    `holds in ${holding.length} of ${tested.length} comparisons` +
    (open > 0 ? `; ${open} could not be made` : '')
  return { outcome: holding.length === tested.length ? 'reproduced' : 'not reproduced', why }
}

function findingsOf(
  comparison: Comparison,
  cases: readonly ExperimentCase[],
  measures: readonly Measure[],
): Finding[] {
  const { where = {} } = comparison
  const isMeant = (row: Row) => Object.entries(where).every(([key, value]) => row[key] === value)
  const rows = new Map(
    cases.filter(({ row }) => isMeant(row)).map(({ row }) => [rowKey(row), row] as const),
  )
  return [...rows].map(([key, row]) => {
    const own = cases.filter((one) => rowKey(one.row) === key)
    return { row, ...compare(comparison, own, measures) }
  })
}

interface Side {
  readonly name: string
  /** By seed. */
  readonly values: ReadonlyMap<number, number>
  readonly isAtLeast: boolean
}

function compare(
  comparison: Comparison,
  cases: readonly ExperimentCase[],
  measures: readonly Measure[],
): Omit<Finding, 'row'> {
  const { relation, by = 0, times = 1 } = comparison
  const unit = measures.find(({ name }) => name === comparison.left.measure)?.unit ?? 'share'
  const [left, right] = [comparison.left, comparison.right].map((term) =>
    sideOf(term, cases, unit === 'share'),
  ) as [Side, Side]
  const seeds = [...left.values.keys()].filter((seed) => right.values.has(seed))
  if (seeds.length === 0) {
    const missing = left.values.size === 0 ? left.name : right.name
    return { says: `${missing} was not measured`, holds: null }
  }
  const of = ({ values }: Side) => seeds.map((seed) => values.get(seed)!)
  const [ofLeft, ofRight] = [of(left), of(right)]
  const differences = ofLeft.map((value, at) => times * value - ofRight[at]!)
  const { mean, deviation } = statisticOf(differences)
  const error = (deviation ?? 0) / Math.sqrt(seeds.length)
  const says =
    `${sideText(left, ofLeft, unit)} ${relation} ${sideText(right, ofRight, unit)}` +
    (times === 1 ? '' : `, the first times ${times}`) +
    boundText(relation, by, unit) +
    `: difference ${formatNumber(mean, unit)}` +
    (deviation === null ? '' : ` ± ${formatNumber(error, unit)} (standard error)`)
  return { says, holds: decide(relation, HOLDS[relation]({ mean, error, by }), [left, right]) }
}

const HOLDS: Readonly<
  Record<Comparison['relation'], (found: { mean: number; error: number; by: number }) => boolean>
> = {
  above: ({ mean, error, by }) => mean - error > by,
  below: ({ mean, error, by }) => mean + error < -by,
  near: ({ mean, by }) => Math.abs(mean) <= by,
}

/**
 * A side whose true value is larger moves the true difference to its side: what holds (or fails) already does so all
 * the more, and the rest is not known.
 *
 * @returns null where that cannot be told
 */
function decide(relation: Comparison['relation'], holds: boolean, sides: readonly Side[]) {
  const [left, right] = sides as [Side, Side]
  if (left.isAtLeast === right.isAtLeast) return left.isAtLeast ? null : holds
  if (relation === 'near') return null
  const isFavoured = left.isAtLeast === (relation === 'above')
  return holds === isFavoured ? holds : null
}

function sideText({ name, isAtLeast }: Side, values: readonly number[], unit: Unit): string {
  return `${name} ${isAtLeast ? '> ' : ''}${formatNumber(statisticOf(values).mean, unit)}`
}

/** As in `, less 1.00`, behind what is compared with. */
function boundText(relation: Comparison['relation'], by: number, unit: Unit): string {
  if (by === 0) return ''
  const size = formatNumber(Math.abs(by), unit)
  if (relation === 'near') return ` (within ${size})`
  return (relation === 'above') === by > 0 ? ` plus ${size}` : ` less ${size}`
}

/** @param isMoreBetter decides which of several methods is the best */
function sideOf(term: Term, cases: readonly ExperimentCase[], isMoreBetter: boolean): Side {
  const names = typeof term.method === 'string' ? [term.method] : term.method
  const sides = names.map((method) => methodSide(method, term.measure, cases))
  const known = sides.filter(({ values }) => values.size > 0)
  const [first = sides[0]!, ...others] = known
  const meanOf = ({ values, isAtLeast }: Side) =>
    isAtLeast && !isMoreBetter ? Infinity : statisticOf([...values.values()]).mean
  const best = others.reduce(
    (a, b) => ((isMoreBetter ? meanOf(b) > meanOf(a) : meanOf(b) < meanOf(a)) ? b : a),
    first,
  )
  return names.length === 1 ? best : { ...best, name: `${best.name} (best of ${known.length})` }
}

function methodSide(method: string, measure: string, cases: readonly ExperimentCase[]): Side {
  const values = new Map<number, number>()
  let isAtLeast = false
  for (const { seed, results } of cases) {
    const result = results.find((one) => one.method === method && measure in one.values)
    const value = result?.values[measure]
    if (value === undefined || value === null) continue
    values.set(seed, value)
    if (result?.atLeast?.includes(measure) === true) isAtLeast = true
  }
  return { name: `${method}, ${measure}`, values, isAtLeast }
}

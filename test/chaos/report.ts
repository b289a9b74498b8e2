import type { Outcome } from './federation.ts'

/** One federation of a run of chaos. */
export interface FederationReport extends Outcome {
  readonly strategy: string
  readonly rounds: number
  readonly clients: number
  /** Null: its cohorts were others, so that its model may be another. */
  readonly isSameModel: boolean | null
}

export interface ChaosReport {
  readonly seed: number
  readonly engine: string
  /** By strategy. */
  readonly undisturbed: Readonly<Record<string, Outcome>>
  readonly federations: readonly FederationReport[]
  readonly totals: ReturnType<typeof totalsOf>
  readonly seconds: number
  readonly isSound: boolean
}

export function totalsOf(federations: readonly FederationReport[]) {
  const sum = (of: (federation: FederationReport) => number) =>
    federations.reduce((total, federation) => total + of(federation), 0)
  return {
    coordinatorKills: sum(({ kills }) => kills.length),
    killsByPhase: count(federations.flatMap(({ kills }) => kills.map(({ phase }) => phase))),
    killsByMoment: count(federations.flatMap(({ kills }) => kills.map(({ moment }) => moment))),
    processKills: sum(({ clientKills }) => clientKills.process),
    droppedClients: sum(({ clientKills }) => clientKills.client),
    cuts: sum(({ links }) => links.cuts),
    slowed: sum(({ links }) => links.slowed),
    bucketFaults: sum(({ bucket }) => (bucket === null ? 0 : bucket.away + bucket.busy)),
    violations: sum(({ violations }) => violations.length),
  }
}

function count(items: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const item of items) counts[item] = (counts[item] ?? 0) + 1
  return counts
}

/** Violations of one federation. */
const MOST_SHOWN = 10
const WIDTHS = [24, 6, 5, 23, 17, 12, 7, 10]

export const HEADING = row([
  'federation',
  'rounds',
  'kills',
  'clients killed, dropped',
  'links cut, slowed',
  'model',
  'seconds',
  'violations',
])

export function federationLine(report: FederationReport, index: number): string {
  const { strategy, clients, isSameModel } = report
  const model = isSameModel === null ? 'other cohort' : isSameModel ? 'the same' : 'ANOTHER'
  return lineOf(`${index + 1} ${strategy}, ${clients} clients`, report, model)
}

export function undisturbedLine(strategy: string, outcome: Outcome): string {
  return lineOf(`${strategy}, undisturbed`, outcome, outcome.finalModel?.slice(0, 12) ?? 'none')
}

function lineOf(name: string, outcome: Outcome, model: string): string {
  const { cohorts, kills, clientKills, links, seconds, violations } = outcome
  return [
    row([
      name,
      String(cohorts.length),
      String(kills.length),
      `${clientKills.process}, ${clientKills.client}`,
      `${links.cuts}, ${links.slowed}`,
      model,
      seconds.toFixed(0),
      violations.length === 0 ? 'none' : String(violations.length),
    ]),
    ...violations
      .slice(0, MOST_SHOWN)
      .map(({ invariant, problem }) => `   ${invariant}: ${problem}`),
    ...(violations.length > MOST_SHOWN ? [`   and ${violations.length - MOST_SHOWN} more`] : []),
  ].join('\n')
}

function row(cells: readonly string[]): string {
  return cells
    .map((cell, index) => cell.padEnd(WIDTHS[index] ?? 0))
    .join('  ')
    .trimEnd()
}

export function summaryLines({ totals, seed, seconds, isSound }: ChaosReport): string {
  const told = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, number]) => `${name} ${number}`)
      .join(', ')
  return [
    `${totals.coordinatorKills} coordinators killed, in phase: ${told(totals.killsByPhase)}`,
    `   at: ${told(totals.killsByMoment)}`,
    `${totals.processKills + totals.droppedClients} clients: ${totals.processKills} processes killed, ${totals.droppedClients} connections dropped; links cut ${totals.cuts} times, slowed ${totals.slowed} times`,
    ...(totals.bucketFaults > 0
      ? [`the bucket was away or busy ${totals.bucketFaults} times`]
      : []),
    `seed ${seed}, ${seconds.toFixed(0)} s: ${isSound ? 'every invariant holds' : 'NOT every invariant holds: see above'}`,
  ].join('\n')
}

import type { MethodResult } from '../../../shared/protocol/experiment-report.ts'
import type { RunReport, Score } from '../../../shared/protocol/run-report.ts'
import {
  FEDERATION_CONTROLS,
  FEDERATION_MEASURES,
  type FederationMeasure,
} from './federation-grid.ts'

/**
 * What an experiment shows of one run. Rounds and bytes are those up to the first published model that reaches the
 * target; a run that ends before says that there are more.
 *
 * @param run of at least one round
 * @param target accuracy to reach; rounds and bytes are not measured without one
 */
export function measureRun(
  run: RunReport,
  measures: readonly FederationMeasure[],
  target?: number,
): Pick<MethodResult, 'values' | 'atLeast'> {
  const { rounds } = run
  const last = rounds.at(-1)!
  const first = rounds.findIndex(({ published }) => published.accuracy >= (target ?? Infinity))
  const isReached = first >= 0
  const until = isReached ? rounds.slice(0, first + 1) : rounds
  const bytes = until.reduce((sum, round) => sum + round.bytes.up + round.bytes.down, 0)
  const seconds = rounds.reduce((sum, round) => sum + sumOf(round.seconds), 0)
  const all: Readonly<Record<FederationMeasure, number | null>> = {
    fused: last.fused.accuracy,
    tuned: last.tuned.accuracy,
    published: run.final.accuracy,
    best: Math.max(...rounds.map(({ published }) => published.accuracy)),
    rounds: target === undefined ? null : until.length,
    megabytes: target === undefined ? null : bytes / 1e6,
    updates: rounds.reduce((sum, { uploads }) => sum + uploads, 0),
    roundSeconds: seconds / rounds.length,
    memory: last.peakRssMb,
  }
  const values = Object.fromEntries(
    measures.map((measure) => [FEDERATION_MEASURES[measure].name, all[measure]]),
  )
  const bounded = (['rounds', 'megabytes'] as const).filter((name) => measures.includes(name))
  if (isReached || target === undefined || bounded.length === 0) return { values }
  return { values, atLeast: bounded.map((name) => FEDERATION_MEASURES[name].name) }
}

/** The controls of a run's last round, under one measure. */
export function controlResults(run: RunReport, measure: string): MethodResult[] {
  const { controls } = run.rounds.at(-1)!
  const scores: Readonly<Record<string, Score | null>> = controls
  return Object.entries(FEDERATION_CONTROLS).map(([key, method]) => ({
    method,
    values: { [measure]: scores[key]?.accuracy ?? null },
  }))
}

const sumOf = (parts: Readonly<Record<string, number>>): number =>
  Object.values(parts).reduce((sum, part) => sum + part, 0)

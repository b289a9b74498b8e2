import { type ClientId, compareIds, type RoundNumber } from '../../shared/ids.ts'
import type { LedgerReport } from '../../shared/protocol/ledger.ts'
import type { RoundReport } from '../../shared/protocol/run-report.ts'
import { summariseLedger } from '../../shared/protocol/summarise-ledger.ts'
import type { RoundRecord } from './round-record.ts'
import {
  clientsOf,
  type Cohort,
  type FusedCandidate,
  type TunedCandidate,
  type Update,
  type Updates,
} from './round-state.ts'
import type { Judgement } from './judge-round.ts'

/** What the state machine knows of a round whose candidates have been judged. */
export interface JudgedRound {
  readonly round: RoundNumber
  readonly cohort: Cohort
  readonly updates: Updates
  readonly fused: FusedCandidate
  readonly tuned: TunedCandidate
}

/**
 * One round in the JSON form of reports; evaluations by clients come later, with `withRecord`.
 *
 * @param ledger of the model that is published or kept; of an untrained one there is none
 */
export function reportRound(
  judged: JudgedRound,
  judgement: Judgement,
  ledger?: LedgerReport,
): RoundReport {
  const { round, cohort, updates, fused, tuned } = judged
  const accepted = Object.values<Update>(updates)
  const slowest = (phase: keyof Update['seconds']) =>
    accepted.reduce((most, { seconds }) => Math.max(most, seconds[phase]), 0)
  return {
    round,
    cohort: cohort.length,
    uploads: accepted.length,
    parents: clientsOf(updates).map((client) => ({
      client,
      ...scoreOf(judgement, client),
      numExamples: updates[client]!.numExamples,
      classCounts: [...updates[client]!.classCounts],
    })),
    controls: judgement.controls,
    fused: { ...judgement.fused, ...(fused.reason !== undefined && { reason: fused.reason }) },
    ...(fused.diversity && { diversity: fused.diversity }),
    ...(fused.checks && { checks: fused.checks }),
    tuned: { ...judgement.tuned, epochs: tuned.epochs, isTuned: tuned.isTuned },
    published: judgement.published,
    ...(judgement.encoding && { encoding: judgement.encoding }),
    ...(ledger && { ledger, ledgerSummary: summariseLedger(ledger) }),
    seconds: {
      train: slowest('train'),
      attribute: slowest('attribute'),
      upload: slowest('upload'),
      fuse: fused.seconds,
      tune: tuned.seconds,
      evaluate: judgement.seconds,
    },
    bytes: { up: accepted.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0), down: 0 },
    peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
  }
}

/** Of a client's network; nothing where that was not judged. */
function scoreOf({ parents }: Judgement, client: ClientId) {
  const judged = parents.find((parent) => parent.client === client)
  if (judged === undefined) return {}
  const { accuracy, loss, classAccuracy, contribution } = judged
  return { accuracy, loss, classAccuracy, ...(contribution !== undefined && { contribution }) }
}

/** Adds what was counted and heard until the round's end. */
export function withRecord(report: RoundReport, record: RoundRecord): RoundReport {
  return {
    ...report,
    bytes: { ...report.bytes, down: record.bytesDown },
    evaluations: [...record.evaluations]
      .map(([client, { accuracy }]: [ClientId, { accuracy: number }]) => ({ client, accuracy }))
      .sort((a, b) => compareIds(a.client, b.client)),
  }
}

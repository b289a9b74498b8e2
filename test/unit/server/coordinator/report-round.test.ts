import { describe, expect, it } from 'vitest'
import { reportRound, withRecord } from '../../../../server/coordinator/report-round.ts'
import { createRoundRecord } from '../../../../server/coordinator/round-record.ts'
import type { Judgement } from '../../../../server/coordinator/judge-round.ts'
import { BlobId, ClientId, RoundNumber } from '../../../../shared/ids.ts'
import type { LedgerReport } from '../../../../shared/protocol/ledger.ts'
import { RoundReport } from '../../../../shared/protocol/run-report.ts'
import { summariseLedger } from '../../../../shared/protocol/summarise-ledger.ts'
import { DIVERSITY, roundReport } from '../../../support/run-report.ts'

const [ada, bob, cy] = ['ada', 'bob', 'cy'].map((name) => ClientId.parse(name)) as [
  ClientId,
  ClientId,
  ClientId,
]
const round = RoundNumber.parse(2)
const blob = BlobId.parse('ab'.repeat(32))
const score = { accuracy: 0.5, loss: 1 }

describe('reportRound', () => {
  it('should count what came, and take the slowest client of each phase', () => {
    const report = reportRound(JUDGED, JUDGEMENT)
    expect(report).toMatchObject({
      round: 2,
      cohort: 3,
      uploads: 2,
      parents: [
        {
          client: 'ada',
          accuracy: 0.1,
          loss: 2,
          classAccuracy: [0.1, null],
          numExamples: 10,
          classCounts: [10, 0],
        },
        {
          client: 'bob',
          accuracy: 0.2,
          loss: 3,
          classAccuracy: [0.3, null],
          contribution: -0.1,
          numExamples: 20,
          classCounts: [0, 20],
        },
      ],
      tuned: { ...score, epochs: 4, isTuned: true },
      seconds: { train: 5, attribute: 3, upload: 2, fuse: 0.5, tune: 7, evaluate: 9 },
      bytes: { up: 300, down: 0 },
    })
    expect(report.peakRssMb).toBeGreaterThan(10)
    expect(report.peakRssMb).toBeLessThan(100_000)
  })

  it('should give what the published schema describes', () => {
    const report = reportRound(JUDGED, JUDGEMENT, LEDGER)
    expect(RoundReport.parse(report)).toEqual(report)
  })

  it('should say how diverse the parents were, where that was measured', () => {
    const report = reportRound(
      { ...JUDGED, fused: { ...JUDGED.fused, diversity: DIVERSITY } },
      JUDGEMENT,
    )
    expect(RoundReport.parse(report).diversity).toEqual(DIVERSITY)
    expect(reportRound(JUDGED, JUDGEMENT)).not.toHaveProperty('diversity')
  })

  it('should say whose neurons make the model and why, where that is known', () => {
    const fused = { ...JUDGED.fused, reason: 'the widest' }
    const report = reportRound({ ...JUDGED, fused }, JUDGEMENT, LEDGER)
    expect(report.ledger).toEqual(LEDGER)
    expect(report.ledgerSummary).toEqual(summariseLedger(LEDGER))
    expect(report.fused).toEqual({ ...score, reason: 'the widest' })

    const unknown = reportRound(JUDGED, JUDGEMENT)
    expect(unknown).not.toHaveProperty('ledger')
    expect(unknown).not.toHaveProperty('ledgerSummary')
    expect(unknown.fused).toEqual(score)
  })
})

describe('withRecord', () => {
  it('should add what was heard, by client id, and leave the rest', () => {
    const record = createRoundRecord()
    record.bytesDown = 42
    for (const [client, accuracy] of [
      [cy, 0.3],
      [ada, 0.1],
    ] as const) {
      record.addEvaluation(client, { round, accuracy, loss: 1, numExamples: 5 })
    }
    const before = roundReport()
    const report = withRecord(before, record)
    expect(report).toEqual({
      ...before,
      bytes: { up: before.bytes.up, down: 42 },
      evaluations: [
        { client: 'ada', accuracy: 0.1 },
        { client: 'cy', accuracy: 0.3 },
      ],
    })
    expect(RoundReport.parse(report)).toEqual(report)
  })
})

// Helpers

const LEDGER: LedgerReport = {
  parents: ['ada', 'bob'],
  groups: [
    {
      name: 'fc1',
      neurons: [
        [
          [0, 3, 0.25, 2],
          [1, 0, 0.75, null],
        ],
        [],
      ],
    },
  ],
}

const JUDGED = {
  round,
  cohort: [ada, bob, cy],
  updates: {
    [ada]: {
      blob,
      numExamples: 10,
      classCounts: [10, 0],
      seconds: { train: 5, attribute: 1, upload: 2 },
      sizeBytes: 100,
    },
    [bob]: {
      blob,
      numExamples: 20,
      classCounts: [0, 20],
      seconds: { train: 4, attribute: 3, upload: 1 },
      sizeBytes: 200,
    },
  },
  fused: { blob, seconds: 0.5 },
  tuned: { blob, seconds: 7, isTuned: true, epochs: 4 },
}

const JUDGEMENT: Judgement = {
  parents: [
    { client: ada, accuracy: 0.1, loss: 2, classAccuracy: [0.1, null] },
    { client: bob, accuracy: 0.2, loss: 3, classAccuracy: [0.3, null], contribution: -0.1 },
  ],
  controls: {
    ensemble: score,
    average: score,
    averageTuned: score,
    proxyAlone: null,
    bestParentTuned: null,
  },
  fused: score,
  tuned: score,
  published: { ...score, candidate: 'tuned', isNew: true, reason: 'best', modelSha256: blob },
  publication: { blob, isNew: true },
  seconds: 9,
}

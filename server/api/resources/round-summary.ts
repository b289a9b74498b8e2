import { z } from 'zod'
import type { RoundSummary } from '../../../shared/protocol/operator/resources.ts'
import { RoundReport } from '../../../shared/protocol/run-report.ts'

/** As `OperatorLists.rounds` cuts it down; what is more in it is left out. */
const StoredSummary = RoundReport.pick({
  round: true,
  cohort: true,
  uploads: true,
  fused: true,
  tuned: true,
  published: true,
  controls: true,
  seconds: true,
  bytes: true,
}).extend({ bestParent: z.number().nullable() })

/** One point of the curves of a run. */
export function toRoundSummary(stored: unknown): RoundSummary {
  const { fused, tuned, published, controls, bestParent, ...rest } = StoredSummary.parse(stored)
  const { accuracy, loss, classAccuracy, candidate, modelSha256 } = published
  return {
    ...rest,
    fused: { accuracy: fused.accuracy, loss: fused.loss },
    tuned: { accuracy: tuned.accuracy, loss: tuned.loss },
    published: { accuracy, loss, ...(classAccuracy && { classAccuracy }), candidate, modelSha256 },
    controls: {
      ensemble: controls.ensemble?.accuracy ?? null,
      average: controls.average?.accuracy ?? null,
      averageTuned: controls.averageTuned?.accuracy ?? null,
      proxyAlone: controls.proxyAlone?.accuracy ?? null,
      bestParentTuned: controls.bestParentTuned?.accuracy ?? null,
      bestParent,
    },
  }
}

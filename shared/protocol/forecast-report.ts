import { z } from 'zod'
import { DiversityReport } from './diversity-report.ts'
import { MeasuredRun } from './measured-run.ts'

const share = z.number().min(0).max(1)
const count = z.int().nonnegative()
const name = z.string().min(1)

const Pair = DiversityReport.shape.pairs.element

/** What was known of a pair before fusion, and what came of it. */
export const PairResult = Pair.omit({ parents: true }).extend({
  cka: Pair.shape.cka.readonly(),
  dataset: name,
  seed: count,
  kind: name.describe('how the two came about; copy: a network and itself'),
  parents: z
    .tuple([share, share])
    .readonly()
    .describe('accuracies on the test images, as all that follow'),
  fused: share.describe('of nt, right after fusion'),
  tuned: share.describe('of nt, tuned'),
  bestParentTuned: share.describe(
    'of the parent that is better on held-out proxy images, tuned alike',
  ),
})
export type PairResult = z.infer<typeof PairResult>

/** How far forecasts of pairs can be trusted. */
export const Reliability = z.strictObject({
  pairs: count,
  baseRate: share.describe('of the pairs whose transplant was worth it'),
  accuracy: share.describe('of the pairs that were foreseen right'),
  majority: share.describe('what saying the more frequent outcome each time would reach'),
  auc: share
    .nullable()
    .describe(
      'chance that of two pairs of different outcome the better one has the higher probability; null without such a pair',
    ),
  brier: share.describe(
    'mean squared error of the probability: 0 is perfect, always saying a half has 0.25',
  ),
})
export type Reliability = z.infer<typeof Reliability>

/** What `graft experiment forecast --json` writes. */
export const ForecastReport = MeasuredRun.extend({
  pairs: z.array(PairResult),
  report: z.strictObject({
    shipped: Reliability.describe('of the forecast that Graft makes'),
    otherDataset: Reliability.nullable().describe(
      'fitted without the data set that it is judged on; null: there is one alone',
    ),
    otherSeed: Reliability.nullable().describe('fitted without the seed that it is judged on'),
    fitted: z
      .strictObject({ intercept: z.number(), weights: z.array(z.number()).readonly() })
      .describe('a logistic regression on all pairs: what to ship'),
    copies: z
      .strictObject({ pairs: count, failed: count, foreseen: count })
      .describe('networks and their copies, which nothing is fitted on'),
  }),
}).meta({ title: 'Graft forecast report' })
export type ForecastReport = z.infer<typeof ForecastReport>

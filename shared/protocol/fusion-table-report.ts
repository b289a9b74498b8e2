import { z } from 'zod'
import { MeasuredRun } from './measured-run.ts'

const share = z.number().min(0).max(1)
const count = z.int().positive()
const name = z.string().min(1)

const MethodResult = z.strictObject({
  method: name.describe('with its options'),
  zeroShot: share.nullable().describe('right after fusion; null: refused, or not measured'),
  tuned: share.nullable(),
  seconds: z
    .number()
    .nonnegative()
    .nullable()
    .describe('to fuse with the images of the zero-shot part'),
  refused: z.string().optional().describe('why the method cannot do this case'),
})

/** Accuracies of a data set, a number of parents and a seed. */
export const FusionCase = z.strictObject({
  dataset: name,
  parents: count,
  seed: z.int().nonnegative(),
  bestParent: share,
  worstParent: share,
  ensemble: share,
  proxyAlone: share.describe('a network trained on the proxy images of the tuned part alone'),
  bestParentTuned: share.describe(
    'the parent that is best on held-out proxy images, fine-tuned on the proxy labels',
  ),
  bestParentDistilled: share.describe(
    'the same parent with the tuning that fused networks get: it learns from all the others too',
  ),
  methods: z.array(MethodResult),
})
export type FusionCase = z.infer<typeof FusionCase>

/** Means over the seeds of one data set and number of parents. */
export const FusionSummary = FusionCase.omit({
  seed: true,
  worstParent: true,
  methods: true,
}).extend({
  seeds: count,
  methods: z.array(MethodResult.pick({ method: true, zeroShot: true, tuned: true })),
})
export type FusionSummary = z.infer<typeof FusionSummary>

/** What `graft experiment fusion-table --json` writes; accuracies are shares from 0 to 1. */
export const FusionTableReport = MeasuredRun.extend({
  cases: z.array(FusionCase),
  summary: z.array(FusionSummary),
}).meta({ title: 'Graft fusion table' })
export type FusionTableReport = z.infer<typeof FusionTableReport>

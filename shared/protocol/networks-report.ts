import { z } from 'zod'
import { MeasuredRun } from './measured-run.ts'

const share = z.number().min(0).max(1)
const seconds = z.number().nonnegative()
const name = z.string().min(1)

const NetworkResult = z.strictObject({
  method: name.describe('with its options'),
  fused: share.nullable().describe('right after fusion; null: refused'),
  tuned: share.nullable(),
  seconds: seconds.nullable().describe('of fusion alone'),
  refused: z.string().optional().describe('why the method cannot fuse this network'),
})
export type NetworkResult = z.infer<typeof NetworkResult>

/** Accuracies of one architecture. */
export const NetworkCase = z.strictObject({
  model: name.describe('as --model takes it'),
  parameters: z.int().positive(),
  parents: z.array(share).describe('of each parent'),
  ensemble: share,
  proxyAlone: share.describe('a network trained on the proxy images alone, by the same tuning'),
  bestParentTuned: share.describe(
    'the parent that is best on held-out proxy images, with the tuning that fused networks get',
  ),
  methods: z.array(NetworkResult),
  trainingSeconds: seconds.describe('to train and score the parents'),
})
export type NetworkCase = z.infer<typeof NetworkCase>

/** What `graft experiment networks --json` writes; accuracies are shares of the test images. */
export const NetworksReport = MeasuredRun.extend({
  cases: z.array(NetworkCase),
}).meta({ title: 'Graft networks report' })
export type NetworksReport = z.infer<typeof NetworksReport>

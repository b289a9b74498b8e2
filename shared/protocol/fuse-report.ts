import { z } from 'zod'
import { DiversityReport } from './diversity-report.ts'
import { LedgerReport } from './ledger.ts'
import { Score } from './run-report.ts'

const count = z.int().nonnegative()
const seconds = z.number().nonnegative()

/** What `graft fuse --json` writes: DESIGN section 4. Everything judged is judged on the test split. */
export const FuseReport = z
  .strictObject({
    version: z.string().describe('of Graft'),
    method: z.string().describe('with every option, given or default'),
    seed: count,
    engine: z.string().describe('TensorFlow.js engine'),
    model: z.string().describe('architecture of the fused network'),
    layout: z.enum(['tf', 'torch']).describe('of the files'),
    scores: z.string().describe('what weighs neurons where the method asks for it'),
    proxy: z
      .strictObject({
        dataset: z.string(),
        examples: count.describe('drawn from its training split'),
      })
      .nullable(),
    test: z
      .string()
      .nullable()
      .describe('data set whose test split judged; null: nothing was judged'),
    parents: z.array(
      z.strictObject({
        file: z.string(),
        accuracy: Score.shape.accuracy.nullable(),
        loss: Score.shape.loss.nullable(),
        classAccuracy: Score.shape.classAccuracy,
        numExamples: z
          .int()
          .positive()
          .describe('examples it was trained on; of each class one where `isCounted` is false'),
      }),
    ),
    isCounted: z.boolean().describe('whether every file says what it was trained on'),
    ensemble: Score.nullable().describe('mean of the parents’ probabilities, by class shares'),
    controls: z.strictObject({
      average: Score.nullable().describe('plain average of the weights'),
      averageTuned: Score.nullable().describe('the plain average after the same fine-tuning'),
      proxyAlone: Score.nullable().describe('network trained on nothing but the proxy set'),
      bestParentTuned: Score.extend({ file: z.string() })
        .nullable()
        .describe('the best parent, by held-out proxy examples, after the same fine-tuning'),
    }),
    fused: Score.nullable().describe('before fine-tuning'),
    tuned: Score.partial()
      .extend({
        epochs: count.describe('epochs of tuning in these weights'),
        isTuned: z.boolean().describe('false: no epoch helped, these are the fused weights'),
      })
      .nullable()
      .describe('after fine-tuning on the proxy set; null: there was none'),
    diversity: DiversityReport.nullable().describe('measured before fusion; null: one parent'),
    reason: z.string().nullable().describe('what the method has to say of its choice'),
    ledger: LedgerReport.nullable(),
    shares: z
      .array(z.number().min(0).max(1))
      .nullable()
      .describe('of each parent in the neurons of the fused network, in the order of `parents`'),
    out: z.string().nullable().describe('file or folder of the result'),
    seconds: seconds.describe('wall-clock seconds that fusion took, scoring included'),
    phases: z
      .strictObject({
        read: seconds,
        compare: seconds,
        fuse: seconds,
        tune: seconds,
        judge: seconds,
      })
      .describe('wall-clock seconds'),
    peakRssMb: z.number().nonnegative().describe('peak memory of the process, MiB'),
  })
  .meta({ title: 'Graft fuse report' })
export type FuseReport = z.infer<typeof FuseReport>

import { z } from 'zod'
import { BlobId, ClientId, RoundNumber } from '../ids.ts'
import { ENCODINGS } from '../model/encodings.ts'
import { DiversityReport } from './diversity-report.ts'
import { LedgerReport, LedgerSummary } from './ledger.ts'
import { RunSettings } from './run-settings.ts'
import { UpdateChecks } from './update-checks.ts'
import { SimulationReport } from './simulation-report.ts'

const accuracy = z
  .number()
  .min(0)
  .max(1)
  .describe('top-1 on the test split of the data set, a share from 0 to 1')
const loss = z.number().nonnegative().describe('mean cross-entropy on the test split, in nats')
const count = z.int().nonnegative()
const seconds = z.number().nonnegative()

const classAccuracy = z
  .array(accuracy.nullable())
  .optional()
  .describe(
    'share of the test examples of each class that are taken for it, by class number; null: the test split has none',
  )

/** How a network does on the test split, which no client and no proxy set holds. */
export const Score = z.strictObject({ accuracy, loss, classAccuracy })
export type Score = z.infer<typeof Score>

const ParentReport = z.strictObject({
  client: ClientId,
  accuracy: accuracy.optional().describe('absent of a round that left out the controls'),
  loss: loss.optional(),
  classAccuracy,
  contribution: z
    .number()
    .min(-1)
    .max(1)
    .optional()
    .describe(
      'accuracy that the ensemble of all parents has over the ensemble of all others, on held-out proxy examples; absent of one parent, and where it was not measured',
    ),
  numExamples: z.int().positive().describe('examples it was trained on'),
  classCounts: z
    .array(count.describe('examples of the class that it was trained on'))
    .optional()
    .describe('by class number'),
})

/**
 * What a fused network has to beat to be worth its fusion, with the same proxy set and tuning budget.
 * null: not measured.
 */
const Controls = z.strictObject({
  ensemble: Score.nullable().describe('mean of the parents’ probabilities, by class shares'),
  average: Score.nullable().describe('plain average of the weights'),
  averageTuned: Score.nullable().describe(
    'the plain average after the fine-tuning that the fused network gets',
  ),
  proxyAlone: Score.nullable().describe('network trained on nothing but the proxy set'),
  bestParentTuned: Score.extend({ parent: ClientId })
    .nullable()
    .describe('the best parent after the fine-tuning that the fused network gets'),
})

const Published = Score.extend({
  candidate: z.enum(['fused', 'tuned', 'kept']).describe('kept: the global model stays as it was'),
  isNew: z.boolean().describe('whether the global model changed'),
  reason: z.string().min(1).describe('why the gate chose so; one line'),
  modelSha256: BlobId.describe('of the global model’s file'),
})

/** What it costs that clients get the published model encoded, and what it saves. */
const EncodingReport = z.strictObject({
  name: z.enum(ENCODINGS).exclude(['float32']),
  accuracy: accuracy.describe('of the published model as clients get it, on the test split'),
  loss,
  modelBytes: count.describe('of the file that clients get'),
  float32Bytes: count.describe('of the file that is stored'),
})
export type EncodingReport = z.infer<typeof EncodingReport>

/** One round, as the coordinator saw it. */
export const RoundReport = z.strictObject({
  round: RoundNumber.describe('1-based'),
  cohort: count.describe('clients invited'),
  uploads: count.describe('updates accepted and fused'),
  parents: z.array(ParentReport).describe('what was fused, by client id'),
  controls: Controls,
  fused: Score.extend({
    reason: z.string().min(1).optional().describe('what the strategy says of its choice; one line'),
  }).describe('before fine-tuning'),
  diversity: DiversityReport.optional().describe(
    'of the parents, measured before they were fused; absent of one',
  ),
  checks: UpdateChecks.optional().describe(
    'of the updates, before they were fused; absent of a run that does not look',
  ),
  tuned: Score.extend({
    epochs: count.describe('epochs run before the early stop'),
    isTuned: z.boolean().describe('false: no epoch helped, these are the fused weights'),
  }).describe('after fine-tuning on the proxy set'),
  published: Published,
  encoding: EncodingReport.optional().describe('absent of a run in float32'),
  ledger: LedgerReport.optional().describe(
    'whose neurons made the published model, before any tuning; of a model that was kept: of the round it came from. In the file of a run the newest round alone has it, as it is most of a report; the store has it of all',
  ),
  ledgerSummary: LedgerSummary.optional().describe('of the same ledger, for each group of neurons'),
  evaluations: z
    .array(
      z.strictObject({
        client: ClientId,
        accuracy: z.number().min(0).max(1).describe('top-1 on its own data, a share from 0 to 1'),
      }),
    )
    .optional()
    .describe('of the published model, by the clients that reported'),
  seconds: z
    .strictObject({
      train: seconds.describe('of the slowest client'),
      attribute: seconds.describe('of the slowest client'),
      upload: seconds.describe('of the slowest client'),
      fuse: seconds,
      tune: seconds,
      evaluate: seconds.describe('all candidates and controls'),
    })
    .describe('wall-clock seconds'),
  bytes: z
    .strictObject({
      up: count.describe('from all clients'),
      down: count.describe('to all clients'),
    })
    .describe('payload bytes on the wire'),
  peakRssMb: z.number().nonnegative().describe('peak memory of the coordinator so far, MiB'),
})
export type RoundReport = z.infer<typeof RoundReport>

/**
 * What `--json` writes after a run: DESIGN section 4. Accuracy and loss are of the data set's own test
 * split everywhere but in `evaluations`.
 */
export const RunReport = z
  .strictObject({
    version: z.string().describe('of Graft'),
    seed: z.int().nonnegative(),
    engine: z.string().describe('TensorFlow.js engine of the coordinator'),
    environment: z
      .strictObject({
        engineVersion: z.string().describe('of the engine’s library'),
        node: z.string().describe('version of Node.js'),
        platform: z.string().describe('operating system and processor architecture'),
      })
      .optional()
      .describe('what the coordinator ran on'),
    dataset: z.string(),
    model: z.string().describe('architecture, as given'),
    partition: z.string(),
    clients: z.int().positive().describe('clients in a cohort'),
    strategy: z.string().describe('with its options, as given'),
    proxy: count.describe('examples of the proxy set'),
    settings: RunSettings.optional().describe('everything that decides the result'),
    rounds: z.array(RoundReport),
    simulation: SimulationReport.optional().describe('of a run that `graft simulate` has made'),
    final: Score.extend({ modelSha256: BlobId.describe('of the global model’s file') }),
  })
  .meta({ title: 'Graft run report' })
export type RunReport = z.infer<typeof RunReport>

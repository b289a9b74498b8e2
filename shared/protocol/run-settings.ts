import { z } from 'zod'
import { SCORER_NAMES } from '../attribution/scorer-names.ts'
import { BlobId } from '../ids.ts'
import { ENCODINGS } from '../model/encodings.ts'
import { MOST_TOPOLOGY_CHARACTERS } from '../model/topology-limit.ts'
import { OPTIMIZERS, OPTIMIZERS_USAGE } from '../training/optimizer-settings.ts'
import { RunData } from './run-data.ts'

const positive = z.number().positive()
const count = z.int().positive()

/** How a client trains: the same for every client of a run. */
export const TrainingSettings = z.strictObject({
  epochs: count.max(1000).describe('local epochs a round'),
  batchSize: count.max(4096).describe('examples a step'),
  optimizer: z.enum(OPTIMIZERS).describe(OPTIMIZERS_USAGE),
  learningRate: positive.max(10).describe('step size'),
  logitAdjustment: z
    .literal(true)
    .optional()
    .describe('clients keep how frequent their classes are out of what they learn'),
})
export type TrainingSettings = z.infer<typeof TrainingSettings>

export const TUNE_MODES = ['both', 'labels', 'distill', 'none'] as const
export type TuneMode = (typeof TUNE_MODES)[number]

/** Proxy tuning: cross-entropy on labels, distillation from the parents' ensemble, or both. */
export const TuneSettings = z.strictObject({
  mode: z.enum(TUNE_MODES).describe('what the proxy set teaches'),
  epochs: z
    .int()
    .nonnegative()
    .max(1000)
    .describe('most epochs; learning labels stops earlier when held-out loss rises'),
  learningRate: positive.max(10).describe('step size of Adam'),
  batchSize: count.max(4096).describe('examples a step'),
})
export type TuneSettings = z.infer<typeof TuneSettings>

export const CONTROLS = ['each', 'last', 'none'] as const

export const PUBLISHING = ['better', 'always'] as const
export type Publishing = (typeof PUBLISHING)[number]

export const OUTLIERS = ['off', 'report', 'quarantine'] as const

/** Everything that decides a run's result. Stored with the run and told to its clients. */
export const RunSettings = z.strictObject({
  seed: z.int().nonnegative(),
  /** A name that everybody can load, or, with `data`, what the coordinator calls its own. */
  dataset: z.string().min(1),
  data: RunData.optional().describe('the coordinator’s own data; absent for a data set by name'),
  /** As given, e.g. `mlp` or `mlp:784-256-10`; with `topology` what the coordinator calls its own. */
  model: z.string().min(1),
  /** As `shared/model/topology.ts` reads it. */
  topology: z
    .string()
    .max(MOST_TOPOLOGY_CHARACTERS)
    .optional()
    .describe(
      'layers of a model of the coordinator’s own, as Keras JSON; absent for a built-in one',
    ),
  /** SHA-256 of the safetensors file that round 1 starts from; null starts from an untrained model. */
  initialModel: BlobId.nullable(),
  /** How the data set is split over the clients; clients with data of their own ignore it. */
  partition: z.string().min(1),
  /** Examples each client keeps of its partition; null keeps all. */
  examplesPerClient: count.nullable(),
  /** e.g. `0.3@0,2`; absent where labels are as they are. */
  labelNoise: z
    .string()
    .min(1)
    .optional()
    .describe('probability that a training label is wrong, and at which clients'),
  /** e.g. `rotation:30@first:2+blur:1`; absent where images are as they are. */
  featureSkew: z
    .string()
    .min(1)
    .optional()
    .describe('what is done to training images, and at which clients'),
  /** Clients in a cohort. */
  clients: count.max(10_000),
  rounds: count.max(100_000),
  targetAccuracy: z
    .number()
    .positive()
    .max(1)
    .optional()
    .describe(
      'the run ends with the first round whose published model is as accurate on the test split, a share from 0 to 1',
    ),
  controls: z
    .enum(CONTROLS)
    .optional()
    .describe(
      'rounds that measure parents, their diversity and controls, which takes several whole networks in memory: each (when absent), the last, or none',
    ),
  /** e.g. `nt` or `nt:tree=joint:variant=prune-merge`. */
  strategy: z.string().min(1),
  /** Labelled examples the coordinator holds; never a client's, never of the test set. */
  proxy: count,
  /** Clients train on the public proxy set too, beside their own examples; its held-out part stays unseen. */
  rehearse: z.boolean(),
  /** How clients score their neurons. */
  scorer: z.enum(SCORER_NAMES),
  training: TrainingSettings,
  tune: TuneSettings,
  publish: z
    .enum(PUBLISHING)
    .optional()
    .describe(
      'a new model only if it is better on held-out proxy examples (when absent), or always',
    ),
  outliers: z
    .enum(OUTLIERS)
    .optional()
    .describe(
      'what becomes of an update that is far larger than the others: nobody looks (off), it is named (report, when absent), or it is left out and set aside (quarantine)',
    ),
  encoding: z
    .enum(ENCODINGS)
    .exclude(['float32'])
    .optional()
    .describe(
      'how weights travel in both directions (absent: float32); with -delta updates are differences to the model of their round',
    ),
  /** Updates that suffice to fuse when the deadline passes. */
  quorum: count,
  goal: count
    .optional()
    .describe('updates with which a round ends before its deadline; absent: those of all clients'),
  /** Seconds from a round's invitation to its deadline. */
  deadlineSeconds: positive,
})
export type RunSettings = z.infer<typeof RunSettings>

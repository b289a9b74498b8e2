import { z } from 'zod'
import { SCORER_NAMES } from '../attribution/scorer-names.ts'
import { CLIENT_CHOICE_USAGE } from '../data/corruption/client-choice.ts'
import { FEATURE_SKEW_USAGE } from '../data/corruption/feature-skew.ts'
import { LABEL_NOISE_USAGE } from '../data/corruption/label-noise.ts'
import { DATASETS } from '../data/datasets.ts'
import { PARTITIONS } from '../data/partitions.ts'
import type { BlobId } from '../ids.ts'
import { ENCODINGS } from '../model/encodings.ts'
import { LAYOUTS } from '../model/layouts.ts'
import {
  type RunSettings,
  CONTROLS,
  OUTLIERS,
  PUBLISHING,
  TUNE_MODES,
} from '../protocol/run-settings.ts'
import type { RunData } from '../protocol/run-data.ts'
import { OPTIMIZERS, OPTIMIZERS_USAGE } from '../training/optimizer-settings.ts'
import { kebab, numeric } from './command.ts'
import { DATA_OPTIONS } from './data-options.ts'

const count = z.int().positive()

/** What a run is on when nobody says it. */
export const DEFAULT_DATASET = 'mnist'

/** Options of every command that starts a run; each decides the result, so each is in the report. */
export const RUN_OPTIONS = {
  dataset: z
    .string()
    .min(1)
    .optional()
    .describe(
      `${Object.keys(DATASETS).join(', ')}; ${DEFAULT_DATASET} when --data is not given either`,
    )
    .meta({ value: 'NAME' }),
  ...DATA_OPTIONS,
  model: z
    .string()
    .default('mlp')
    .describe(
      'mlp[:IN-HIDDEN-...-OUT], lenet, vgg11[:WIDTH], vgg11-bn[:WIDTH], resnet18[:WIDTH], vit[:WIDTHxDEPTH], or a path: a TensorFlow.js folder, .json, or a module .js that exports createModel(tf)',
    )
    .meta({ value: 'SPEC' }),
  from: z
    .string()
    .min(1)
    .optional()
    .describe('safetensors file to start from; an untrained model when not given')
    .meta({ value: 'FILE' }),
  layout: z
    .enum(LAYOUTS)
    .optional()
    .describe(
      'names and axes in --from: tf (Graft’s own) or torch; what the file says when not given',
    )
    .meta({ value: 'NAME' }),
  partition: z
    .string()
    .default('iid')
    .describe(
      Object.values(PARTITIONS)
        .map(({ usage }) => usage)
        .join(', '),
    )
    .meta({ value: 'SPEC' }),
  labelNoise: z
    .string()
    .min(1)
    .optional()
    .describe(`wrong training labels: ${LABEL_NOISE_USAGE}, CLIENTS being ${CLIENT_CHOICE_USAGE}`)
    .meta({ value: 'SPEC' }),
  featureSkew: z
    .string()
    .min(1)
    .optional()
    .describe(`changed training images: ${FEATURE_SKEW_USAGE}`)
    .meta({ value: 'SPEC' }),
  clients: numeric(count.max(10_000))
    .default(2)
    .describe('clients in a cohort')
    .meta({ value: 'N' }),
  rounds: numeric(count.max(100_000)).default(1).describe('rounds of the run').meta({ value: 'N' }),
  target: numeric(z.number().positive().max(1))
    .optional()
    .describe('accuracy on the test split, 0 to 1, at which the run ends before its last round')
    .meta({ value: 'SHARE' }),
  strategy: z
    .string()
    .default('nt')
    .describe(
      'fedavg, nt, hf-linear, kf-linear, kf-gradient, otfusion, git-rebasin, median, trimmed-mean, krum, feddf, fedprox, fedavgm, fedadam, scaffold or auto; with options as in nt:tree=joint:head=mean',
    )
    .meta({ value: 'SPEC' }),
  proxy: numeric(count)
    .default(1000)
    .describe('labelled examples the coordinator holds')
    .meta({ value: 'N' }),
  rehearse: z
    .literal(true)
    .optional()
    .describe('clients train on the proxy set too, beside their own examples'),
  logitAdjustment: z
    .literal(true)
    .optional()
    .describe('clients keep how frequent their classes are out of what they learn'),
  examplesPerClient: numeric(count)
    .optional()
    .describe('examples each client keeps of its partition; all when not given')
    .meta({ value: 'N' }),
  localEpochs: numeric(count.max(1000))
    .default(2)
    .describe('epochs a client trains each round')
    .meta({ value: 'N' }),
  batchSize: numeric(count.max(4096)).default(64).describe('examples a step').meta({ value: 'N' }),
  optimizer: z.enum(OPTIMIZERS).default('adam').describe(OPTIMIZERS_USAGE).meta({ value: 'NAME' }),
  learningRate: numeric(z.number().positive().max(10))
    .default(0.001)
    .describe('step size of local training')
    .meta({ value: 'X' }),
  scores: z
    .enum(SCORER_NAMES)
    .default('conductance')
    .describe('attribution scores that clients send')
    .meta({ value: 'NAME' }),
  tune: z
    .enum(TUNE_MODES)
    .default('both')
    .describe('what the proxy set teaches: labels, the ensemble (distill), both or none')
    .meta({ value: 'MODE' }),
  tuneEpochs: numeric(z.int().nonnegative().max(1000))
    .default(30)
    .describe('most epochs of tuning; learning labels stops earlier when held-out loss rises')
    .meta({ value: 'N' }),
  tuneLearningRate: numeric(z.number().positive().max(10))
    .default(0.001)
    .describe('step size of tuning')
    .meta({ value: 'X' }),
  publish: z
    .enum(PUBLISHING)
    .default('better')
    .describe('a new model only if it is better on held-out proxy examples, or always')
    .meta({ value: 'WHEN' }),
  controls: z
    .enum(CONTROLS)
    .default('each')
    .describe(
      'rounds in which parents, their diversity and controls are measured: each, the last, or none',
    )
    .meta({ value: 'WHEN' }),
  outliers: z
    .enum(OUTLIERS)
    .default('report')
    .describe(
      'updates far larger than the others: not looked for (off), named (report), or left out (quarantine)',
    )
    .meta({ value: 'MODE' }),
  encoding: z
    .enum(ENCODINGS)
    .default('float32')
    .describe(
      'how weights travel: float16 and int8 take a half and a quarter of the bytes; -delta sends what training has changed',
    )
    .meta({ value: 'NAME' }),
  quorum: numeric(count)
    .optional()
    .describe('updates that suffice at the deadline; all clients, or --goal, when not given')
    .meta({ value: 'N' }),
  goal: numeric(count)
    .optional()
    .describe('updates with which a round goes on at once (over-selection); all when not given')
    .meta({ value: 'N' }),
  deadline: numeric(z.number().positive())
    .default(600)
    .describe('seconds a round waits for updates')
    .meta({ value: 'SECONDS' }),
  seed: numeric(
    z
      .int()
      .nonnegative()
      .max(2 ** 32 - 1),
  )
    .default(7)
    .describe('same seed, settings and engine: same bytes')
    .meta({ value: 'N' }),
} as const

type RunOptions = z.infer<z.ZodObject<typeof RUN_OPTIONS>>

/**
 * @param initialModel hash of the file that `--from` names
 * @param own the data that `--data` names; null for a data set that all can have by name
 * @param model what `--model` names where it is a path
 */
export function toRunSettings(
  options: RunOptions,
  initialModel: BlobId | null,
  own: { readonly name: string; readonly runData: RunData } | null = null,
  model: { readonly name: string; readonly topology: string } | null = null,
): RunSettings {
  return {
    seed: options.seed,
    dataset: own?.name ?? options.dataset ?? DEFAULT_DATASET,
    ...(own && { data: own.runData }),
    model: model?.name ?? options.model,
    ...(model && { topology: model.topology }),
    initialModel,
    partition: options.partition,
    examplesPerClient: options.examplesPerClient ?? null,
    ...(options.labelNoise !== undefined && { labelNoise: options.labelNoise }),
    ...(options.featureSkew !== undefined && { featureSkew: options.featureSkew }),
    clients: options.clients,
    rounds: options.rounds,
    ...(options.target !== undefined && { targetAccuracy: options.target }),
    ...(options.controls !== 'each' && { controls: options.controls }),
    strategy: options.strategy,
    proxy: options.proxy,
    rehearse: options.rehearse === true,
    scorer: options.scores,
    training: {
      epochs: options.localEpochs,
      batchSize: options.batchSize,
      optimizer: options.optimizer,
      learningRate: options.learningRate,
      ...(options.logitAdjustment && { logitAdjustment: true }),
    },
    tune: {
      mode: options.tune,
      epochs: options.tuneEpochs,
      learningRate: options.tuneLearningRate,
      batchSize: options.batchSize,
    },
    ...(options.publish !== 'better' && { publish: options.publish }),
    ...(options.outliers !== 'report' && { outliers: options.outliers }),
    ...(options.encoding !== 'float32' && { encoding: options.encoding }),
    ...roundSizes(options),
    deadlineSeconds: options.deadline,
  }
}

/** A cohort, and how much of it a round needs; larger numbers than there are clients mean all of them. */
export function roundSizes({
  clients,
  goal = clients,
  quorum = goal,
}: {
  readonly clients: number
  readonly goal?: number | undefined
  readonly quorum?: number | undefined
}): Pick<RunSettings, 'quorum' | 'goal'> {
  const wanted = Math.min(goal, clients)
  return { quorum: Math.min(quorum, wanted), ...(wanted < clients && { goal: wanted }) }
}

/** The words that give another `graft` process the same options. */
export function toWords(options: RunOptions): string[] {
  return Object.keys(RUN_OPTIONS).flatMap((key) => {
    const value = options[key as keyof RunOptions]
    if (value === undefined) return []
    return value === true ? [`--${kebab(key)}`] : [`--${kebab(key)}`, String(value)]
  })
}

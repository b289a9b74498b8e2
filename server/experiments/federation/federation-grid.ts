import type { Measure } from '../../../shared/protocol/experiment-report.ts'
import type { FaultPlan } from '../../../shared/protocol/fault-plan.ts'
import type { Publishing, TuneMode } from '../../../shared/protocol/run-settings.ts'
import type { OptimizerName } from '../../../shared/training/optimizer-settings.ts'

/** What clients train on beside their own images: nothing, the proxy set, or that with logit adjustment. */
export const REHEARSAL_NAMES = ['none', 'plain', 'adjusted'] as const
export type Rehearsal = (typeof REHEARSAL_NAMES)[number]

/** Words of `graft simulate`. */
const REHEARSALS = {
  none: [],
  plain: ['--rehearse'],
  adjusted: ['--rehearse', '--logit-adjustment'],
} as const satisfies Record<Rehearsal, readonly string[]>

/** What clients train with. */
export interface LocalOptimizer {
  readonly name: OptimizerName
  readonly learningRate: number
}

/** What goes wrong in some of the runs. */
export interface NamedFaults {
  /** Stands behind the names of methods. */
  readonly name: string
  readonly plan: FaultPlan
  /** Updates that suffice at the deadline. */
  readonly quorum: number
  /** How long a round waits for who is missing; longer than the slowest client takes. */
  readonly deadlineSeconds: number
}

/** Strategies that are run as those who made them do. */
interface Rivals {
  readonly methods: readonly string[]
  /** What the proxy set teaches their networks. */
  readonly tune: TuneMode
  /** Which rounds publish. */
  readonly publish: Publishing
}

/**
 * Federations of real clients: every combination of data set, partition and number of clients is a row, each with
 * every seed, and every strategy with every kind of rehearsal.
 */
export interface FederationGrid {
  readonly datasets: readonly string[]
  readonly partitions: readonly string[]
  readonly clients: readonly number[]
  readonly seeds: readonly number[]
  /** As `--strategy` takes them. */
  readonly methods: readonly string[]
  /** All others are tuned by labels and ensemble. */
  readonly rivals: Rivals
  /** Which rounds of those others publish. @default 'better' */
  readonly publish?: Publishing
  /** Of the strategies whose clients cannot train with Graft's own. */
  readonly optimizers?: Readonly<Record<string, LocalOptimizer>>
  /** Each strategy is run with each. */
  readonly rehearse: readonly Rehearsal[]
  /** Each strategy is run with each, and undisturbed. @default none */
  readonly faults?: readonly NamedFaults[]
  readonly model: string
  /** Most training images a client. */
  readonly images: number
  readonly rounds: number
  readonly localEpochs: number
  /** Labelled images of the proxy set. */
  readonly proxyImages: number
  readonly tuneEpochs: number
  /** Accuracy to reach, by data set. */
  readonly targets?: Readonly<Record<string, number>>
  /** Whether a run ends with the round that reaches it; else it goes on to its last one. */
  readonly isTargetTheEnd?: boolean
  /** What is shown of each run. */
  readonly measures: readonly FederationMeasure[]
  /** Whether the controls of the last round are shown, those of the first strategy's runs, tuned as that is; no other run measures them. */
  readonly controls: boolean
}

/** What can be measured of a run, in the order of the columns. */
export const FEDERATION_MEASURES = {
  fused: { name: 'right after fusion', unit: 'share' },
  tuned: { name: 'tuned', unit: 'share' },
  published: { name: 'published', unit: 'share' },
  best: { name: 'best round', unit: 'share' },
  rounds: { name: 'rounds to the target', unit: 'rounds' },
  megabytes: { name: 'MB to the target', unit: 'MB' },
  updates: { name: 'updates fused', unit: 'updates' },
  roundSeconds: { name: 'seconds a round', unit: 'seconds' },
  memory: { name: 'peak memory of the coordinator', unit: 'MiB' },
} as const satisfies Record<string, Measure>
export type FederationMeasure = keyof typeof FEDERATION_MEASURES

/** Controls beside the strategies, by what tables call them. */
export const FEDERATION_CONTROLS = {
  ensemble: 'ensemble',
  average: 'plain average',
  averageTuned: 'plain average + fine-tuning',
  proxyAlone: 'proxy set alone',
  bestParentTuned: 'best parent + fine-tuning',
} as const

/** Name of a method of a grid, as tables and claims have it. */
export const rehearsed = (method: string, rehearsal: Rehearsal): string =>
  [method, ...rehearsalWords(rehearsal)].join(' ')

/** The same of a run in which something goes wrong. */
export const struckBy = (method: string, faults: string): string => `${method}, ${faults}`

export const rehearsalWords = (rehearsal: Rehearsal): readonly string[] => REHEARSALS[rehearsal]

import type { Measure } from '../../shared/protocol/experiment-report.ts'

/**
 * Federations of real clients: every combination of data set, partition and number of clients is a row, each with
 * every seed, and every strategy with and without rehearsal.
 */
export interface FederationGrid {
  readonly datasets: readonly string[]
  readonly partitions: readonly string[]
  readonly clients: readonly number[]
  readonly seeds: readonly number[]
  /** As `--strategy` takes them. */
  readonly methods: readonly string[]
  /** Whether clients train on the proxy set too; both: each strategy is run twice. */
  readonly rehearse: readonly boolean[]
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
  /** What is shown of each run. */
  readonly measures: readonly FederationMeasure[]
  /** Whether the controls of the last round are shown, those of the first strategy's runs. */
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
export const rehearsed = (method: string, isRehearsed: boolean): string =>
  isRehearsed ? `${method} --rehearse` : method

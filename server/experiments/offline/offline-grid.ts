import type { Measure } from '../../../shared/protocol/experiment-report.ts'

/**
 * Fusions of trained networks: every combination of data set, model, partition and number of parents is a row, each
 * with every seed and every method.
 */
export interface OfflineGrid {
  readonly datasets: readonly string[]
  /** As `--model` takes them: the fused network's, and the parents' unless `parentModels` says otherwise. */
  readonly models: readonly string[]
  /** The parents' own, in turn, where their widths differ. */
  readonly parentModels?: readonly string[]
  /** As `--partition` takes them; `same`: all parents see the same images; `copy`: they are one network. */
  readonly partitions: readonly string[]
  readonly parents: readonly number[]
  readonly seeds: readonly number[]
  /** As `--strategy` takes them. What a method refuses is a result. */
  readonly methods: readonly string[]
  /** Most training images a parent. */
  readonly images: number
  /** Of the parents. */
  readonly training: Training & { readonly epochs: number }
  /** Images that methods look at, and that choose the best parent; no parent is trained on them. */
  readonly proxyImages: number
  readonly tuning: {
    /** What fused networks and controls are tuned on: all that the parents were trained on, or the proxy images. */
    readonly on: 'training images' | 'proxy images'
    readonly optimizer: Training['optimizer']
    readonly batchSize: number
    readonly learningRates: readonly number[]
    /** Epochs after which networks are judged, besides right after fusion. */
    readonly epochs: readonly number[]
  }
  /** Images of the test split that judge, balanced by class. */
  readonly testImages: number
}

export interface Training {
  readonly optimizer: 'adam' | 'sgd'
  readonly learningRate: number
  readonly batchSize: number
}

export const FUSED = 'right after fusion'
export const FUSE_SECONDS = 'seconds to fuse'

/** Controls beside the methods, by what tables call them. */
export const CONTROLS = {
  bestParent: 'best parent',
  worstParent: 'worst parent',
  ensemble: 'ensemble',
  alone: 'tuning images alone',
} as const

/** Name of the accuracy after some epochs of tuning. */
export function tunedMeasure({ tuning }: OfflineGrid, epochs: number, rate: number): string {
  const after = `${epochs} epoch${epochs === 1 ? '' : 's'}`
  return tuning.learningRates.length > 1 ? `${after} at ${rate}` : after
}

/** What is measured of each method, in the order of the columns. */
export function offlineMeasures(grid: OfflineGrid): Measure[] {
  const { learningRates, epochs } = grid.tuning
  const tuned = learningRates.flatMap((rate) =>
    epochs.map((count) => ({ name: tunedMeasure(grid, count, rate), unit: 'share' as const })),
  )
  return [{ name: FUSED, unit: 'share' }, ...tuned, { name: FUSE_SECONDS, unit: 'seconds' }]
}

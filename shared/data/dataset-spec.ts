import type { PhaseProgress } from '../command/phase-progress.ts'
import type { Dataset } from './example-set.ts'

/** fetch: the download; prepare: unpacking and checking what was downloaded, once a user. */
export type DatasetProgress = PhaseProgress<'fetch' | 'prepare' | 'done'>

export interface LoadOptions {
  readonly signal?: AbortSignal | undefined
  /** Called only when the data set is not ready in the cache. */
  readonly onProgress?: ((progress: DatasetProgress) => void) | undefined
}

/** Of each channel of value / 255. */
export interface Normalisation {
  readonly mean: readonly number[]
  readonly std: readonly number[]
}

export interface DatasetSpec {
  /** One line for `graft data list`. */
  readonly summary: string
  /** Where its files come from. */
  readonly source: string
  /** What a user without it downloads; 0 when it comes with Graft. */
  readonly downloadBytes: number
  readonly numClasses: number
  /** Shape of one input, e.g. [28, 28, 1]. */
  readonly inputShape: readonly number[]
  /** How its inputs are normalised: (value / 255 - mean) / std of the channel. */
  readonly normalisation: Normalisation
  /** Whether it can be loaded without a network. */
  isHere(): Promise<boolean>
  /**
   * Reads it, after fetching it when it is not there; the caller owns it.
   *
   * @throws GraftError GRAFT_DATASET_INVALID, GRAFT_DATASET_UNAVAILABLE, GRAFT_DISK_FULL
   * @throws the signal's reason when it aborts
   */
  load(options?: LoadOptions): Promise<Dataset>
}

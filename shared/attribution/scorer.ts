import type * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../data/example-set.ts'

/** Where a neuron's value is taken: `pre` behind its layer, `post` behind the relu that follows. */
export type AttributionPoint = 'pre' | 'post'

export interface ScorerOptions {
  /** Most examples a pass; less are taken when memory would not hold them. @default 50 */
  readonly batchSize?: number
  /** The head has no relu, so its scores are the same at both. @default 'pre' */
  readonly point?: AttributionPoint
  /** Called after each pass with the examples done and to do. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
  /** Once aborted, the scorer rejects with its reason. */
  readonly signal?: AbortSignal
}

/** Says how much each neuron of a model matters for examples: a score > 0, larger for more. */
export interface Scorer {
  readonly name: string
  /** One line for --help and reports. */
  readonly summary: string
  /**
   * @param model borrowed
   * @returns one array [width] a level, input side first, head included; fresh
   * @throws GraftError GRAFT_LAYER_UNSUPPORTED naming a layer that has no neurons to follow
   * @throws RangeError without examples
   */
  score(
    model: tf.LayersModel,
    examples: ExampleSet,
    options: ScorerOptions,
  ): Promise<Float32Array[]>
}

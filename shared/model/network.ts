import type * as tf from '@tensorflow/tfjs'
import type { Architecture } from './architecture.ts'
import type { NamedShape } from './weights.ts'

/** The network that a run is about: coordinator and clients build it alike. */
export interface Network {
  /** Canonical spec, or what the coordinator calls a topology of its own. */
  readonly name: string
  /** Null for a topology. */
  readonly architecture: Architecture | null
  /** Its weights, in order. */
  readonly weights: readonly NamedShape[]
  /** @returns a model whose weights are to be written yet; the caller owns and disposes of it */
  readonly build: () => tf.LayersModel
}

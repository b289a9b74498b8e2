import type { LayerSpec } from './layer-spec.ts'

/** A network before it has weights: what coordinator and clients agree on. */
export interface Architecture {
  /** Canonical spec: parsing it again gives this architecture, e.g. `mlp:784-512-512-512-10`. */
  readonly name: string
  /** Shape of one input, e.g. [28, 28, 1]. */
  readonly inputShape: readonly number[]
  readonly numClasses: number
  /** Each behind those it reads; the last one gives the logits, [numClasses]. */
  readonly layers: readonly LayerSpec[]
}

/** What the data decides about a network. An `ExampleSet` is one. */
export interface DataShape {
  readonly inputShape: readonly number[]
  readonly numClasses: number
}

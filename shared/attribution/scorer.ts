import type { ExampleSet } from '../data/example-set.ts'
import type { NeuronGraph } from '../model/neuron-graph.ts'
import type { WeightSource } from '../model/op-graph.ts'

/** Where a neuron's value is taken: `pre` behind its layer, `post` behind the activation that follows. */
export type AttributionPoint = 'pre' | 'post'

export interface ScorerOptions {
  /** Most examples a pass. @default as many as {@link maxValues} allows */
  readonly batchSize?: number
  /**
   * Most numbers that the outputs of a pass may hold, 4 bytes each, and as many again for their gradients.
   * A pass has at least one example, so one that takes more runs all the same.
   * @default 4e6
   */
  readonly maxValues?: number
  /** The head has no activation, so its scores are the same at both. @default 'pre' */
  readonly point?: AttributionPoint
  /** Called after each pass with the examples done and to do. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
  /** Once aborted, the scorer rejects with its reason. */
  readonly signal?: AbortSignal
}

/** A network whose neurons are to be scored; both are borrowed. */
export interface ScoredNetwork {
  readonly graph: NeuronGraph
  readonly weights: WeightSource
}

/** Says how much each neuron of a network matters for examples: a score > 0, larger for more. */
export interface Scorer<Options extends ScorerOptions = ScorerOptions> {
  readonly name: string
  /** One line for --help and reports. */
  readonly summary: string
  /**
   * @returns one array [width] a group, input side first, head included; fresh
   * @throws GraftError GRAFT_LAYER_UNSUPPORTED naming a layer that the scorer has no way through
   * @throws RangeError without examples, where the scorer looks at any
   */
  score(network: ScoredNetwork, examples: ExampleSet, options: Options): Promise<Float32Array[]>
}

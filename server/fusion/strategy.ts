import type { Level } from '../../shared/model/levels.ts'
import type { Weights } from '../../shared/model/weights.ts'

/** One network to fuse. `load` may read from disk: a strategy holds as few loaded parents as it can. */
export interface Parent {
  /** Client id, or file name offline. */
  readonly id: string
  /** n_k: examples it was trained on, > 0. */
  readonly numExamples: number
  /** Training examples of each class, [class]. */
  readonly classCounts: readonly number[]
  /** Attribution scores of each level, [level][neuron]; empty when the client sent none. */
  readonly scores: readonly Float32Array[]
  /** The weights; the caller of `load` must not change them. */
  load(): Promise<Weights>
}

export interface FusionInput<Options = Readonly<Record<string, string>>> {
  /** At least one, sorted by id: the order of every sum and of every tree. */
  readonly parents: readonly Parent[]
  /** Levels of the fused network (the coordinator's architecture). */
  readonly levels: readonly Level[]
  readonly options: Options
}

/** A rule that turns the updates of a round into one network. Pure: same input, same bytes. */
export interface Strategy {
  readonly name: string
  /** One line for --help and reports. */
  readonly summary: string
  /** arXiv number and section. */
  readonly paper: string
  /** Each option with what it may be; the first value is the default. */
  readonly options: Readonly<Record<string, readonly [string, ...string[]]>>
  /**
   * @returns fresh weights, in the order of the first parent's and of the widths of `levels`
   * @throws GraftError GRAFT_SHAPE_MISMATCH when the parents' shapes don't agree with `levels`
   */
  fuse(input: FusionInput): Promise<Weights>
}

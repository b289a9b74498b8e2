import type { ExampleSet } from '../../shared/data/example-set.ts'
import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import type { Loadable } from '../../shared/model/weight-reader.ts'
import type { WeightStream } from '../../shared/model/weight-stream.ts'
import type { Weights } from '../../shared/model/weights.ts'
import type { Rng } from '../../shared/numeric/rng.ts'
import type { OptimizerName } from '../../shared/training/optimizer-settings.ts'
import type { Ledger } from './ledger.ts'

/**
 * One network to fuse. `load` and `open` may read from disk: a strategy holds as few loaded parents as it can. They refuse what
 * is no network of the run where `widths` are known.
 */
export interface Parent extends Loadable {
  /** Client id, or file name offline. */
  readonly id: string
  /** n_k: examples it was trained on, > 0. */
  readonly numExamples: number
  /** Training examples of each class, [class]. */
  readonly classCounts: readonly number[]
  /** Attribution scores of each group, [group][neuron]; empty when the client sent none. */
  readonly scores: readonly Float32Array[]
  /**
   * Width of each group, [group], where the weights were looked at before, and reading refuses others and numbers that are
   * not finite; absent where nobody has looked.
   */
  readonly widths?: readonly number[]
}

/** The coordinator's own labelled examples, which every client may know. */
export interface ProxyExamples {
  /** What a strategy may look at and learn from. */
  readonly train: ExampleSet
  /** What decides between candidates; nothing is learnt from it. */
  readonly heldOut: ExampleSet
}

/** What a strategy remembers from one round to the next, by names of its own. */
export type StrategyState = Readonly<Record<string, Loadable>>

/** What a round of a federation began with. */
export interface RoundStart {
  /** The global model, which the parents were trained from. */
  readonly globalModel: Loadable
  /** What the strategy gave with that model; empty when it made none of the models so far. */
  readonly state: StrategyState
  /** Clients that the run is for. */
  readonly numClients: number
  readonly training: LocalTraining
}

/** How every client trained from the global model. */
export interface LocalTraining {
  readonly learningRate: number
  /** Steps that a client of so many examples made. */
  countSteps(numExamples: number): number
}

export interface FusionInput<Options = Readonly<Record<string, string>>> {
  /** At least one, sorted by id: the order of every sum and of every tree. */
  readonly parents: readonly Parent[]
  /** Neurons of the fused network (the coordinator's architecture). */
  readonly graph: NeuronGraph
  readonly options: Options
  /** Absent where nothing but weights is known; strategies that look at activations then refuse. */
  readonly proxy?: ProxyExamples
  /** Absent outside of a federation's rounds. */
  readonly start?: RoundStart
  readonly rng: Rng
  /** What the strategy is at, in a few words for display. */
  readonly onProgress?: (detail: string) => void
  /** Once aborted, `fuse` rejects with its reason. */
  readonly signal?: AbortSignal
}

/** One network made of several. */
export interface Fusion {
  /** Fresh weights, in the order and of the widths of the graph. */
  readonly weights: Weights
  /** Whose neurons they are. */
  readonly ledger: Ledger
  /** What the strategy has to say of its choice, one sentence; shown and kept in the report. */
  readonly reason?: string
  /**
   * What the strategy wants to find in the next round's start, should this network be published: then what it
   * names replaces what it remembered by that name, and everything else stays.
   */
  readonly state?: StrategyState
}

/** The same network, made while it is read: {@link Fusion} of those who do not want all of it in memory. */
export interface OpenFusion extends Omit<Fusion, 'weights' | 'ledger' | 'state'> {
  readonly weights: WeightStream
  /** Call it when all weights have been read: they may tell whose they are. */
  readonly ledger: () => Ledger
  readonly state?: Readonly<Record<string, () => Promise<WeightStream>>>
}

/** How many parents a strategy may get, before anybody knows exactly. */
export interface ParentCount {
  readonly fewest: number
  readonly most: number
}

/** What clients do when they train, beside the run's settings; absent fields ask nothing. */
export interface ClientTraining {
  /** mu of a proximal term, `mu/2 |w - global model|^2`, beside the loss. */
  readonly proximal?: number
  /**
   * Parts of the strategy's state, by name, that are added to every gradient and subtracted from it; of the shapes
   * of the trained weights. What is not remembered yet is 0.
   */
  readonly correction?: { readonly add: string; readonly subtract: string }
}

/** A rule that turns the updates of a round into one network. Pure: same input, same bytes. */
export type Strategy = NetworkStrategy | BlockStrategy

/** It looks at whole networks: at neurons, or at what they answer. */
export interface NetworkStrategy extends StrategyFacts {
  readonly holds: 'networks'
}

/** It looks at a weight, or at the same weight of all parents, and at no other: so it holds blocks of them, however large they are. */
export interface BlockStrategy extends StrategyFacts {
  readonly holds: 'blocks'
  /** What `fuse` gives, without holding it. @throws what `fuse` throws, some of it while weights are read */
  open(input: FusionInput): Promise<OpenFusion>
}

interface StrategyFacts {
  readonly name: string
  /** One line for --help and reports. */
  readonly summary: string
  /** arXiv number and section. */
  readonly paper: string
  /** Each option with what it may be; the first value is the default. */
  readonly options: Readonly<Record<string, readonly [string, ...string[]]>>
  /** It gives no single network: there to be measured against, not to be run. */
  readonly isComparison?: true
  /** It judges candidates on `proxy.heldOut`; other strategies may look at the whole proxy set. */
  readonly usesHeldOut?: true
  /**
   * It is for the rounds of a federation, and this is why it cannot fuse finished networks, with what to take
   * instead; the end of a sentence that begins with its name.
   */
  readonly onlyInRounds?: string
  /** It goes on from `start`, so that it has something to do even with a single parent. */
  readonly isStateful?: true
  /** The one optimiser that clients may train with, and why; absent where any will do. */
  readonly onlyOptimizer?: { readonly name: OptimizerName; readonly reason: string }
  /**
   * What it asks of local training; absent where it asks nothing.
   * @param client id of the one that is asked
   */
  clientTraining?(options: FusionInput['options'], client: string): ClientTraining
  /**
   * Refuses, before anybody trains, what `fuse` would refuse whatever the parents' weights are. Absent where
   * every number of networks of every kind can be fused.
   *
   * @throws GraftError GRAFT_STRATEGY_UNSUITABLE naming the layer; GRAFT_STRATEGY_UNKNOWN for too many parents,
   *   or too few
   */
  check?(graph: NeuronGraph, numParents: ParentCount, options: FusionInput['options']): void
  /**
   * @throws GraftError GRAFT_SHAPE_MISMATCH when the parents' shapes don't agree with the graph;
   *   GRAFT_NOT_FINITE when a parent holds NaN; GRAFT_STRATEGY_UNKNOWN when something the options ask for
   *   is missing
   */
  fuse(input: FusionInput): Promise<Fusion>
}

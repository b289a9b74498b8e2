import { assertCanCorrupt } from '../../shared/data/corruption/client-corruption.ts'
import type { Dataset, ExampleSet } from '../../shared/data/example-set.ts'
import { parsePartition } from '../../shared/data/partition.ts'
import { drawProxy, splitDataset } from '../../shared/data/split.ts'
import { subset } from '../../shared/data/subset.ts'
import { GraftError } from '../../shared/errors.ts'
import { drawnWeights, drawWeights } from '../../shared/model/initial-weights.ts'
import type { Network } from '../../shared/model/network.ts'
import { networkOf } from '../../shared/model/open-network.ts'
import { streamOf, type WeightStream } from '../../shared/model/weight-stream.ts'
import { assertFinite, assertSameShapes, type Weights } from '../../shared/model/weights.ts'
import { createRng, type Rng } from '../../shared/numeric/rng.ts'
import type { RunSettings } from '../../shared/protocol/run-settings.ts'
import { type ParsedStrategy, parseStrategy, STRATEGIES } from '../fusion/strategies.ts'
import type { Strategy } from '../fusion/strategy.ts'
import { type ProxySplit, splitProxy } from '../proxy/split-proxy.ts'

/** A run's settings, understood: everything that can be known before the first client joins. */
export interface RunPlan {
  readonly settings: RunSettings
  readonly network: Network
  readonly strategy: ParsedStrategy
  /** Examples that the data set has for clients and proxy set; a guess where clients bring their own. */
  readonly numTrain: number
  /** The public proxy set: what tuning sees, and what guards the gate. */
  readonly proxy: ProxySplit
  /** Judges, decides nothing. */
  readonly test: ExampleSet
  /** A network that has seen nothing: drawn when it is asked for, the same each time. */
  readonly untrained: () => Weights
  /** Where round 1 starts: as `untrained`, or the model that was given. */
  readonly initial: () => WeightStream
  /** Of the run; take a stream by `split`. */
  readonly rng: Rng
}

/**
 * Checks the settings against the data set and against each other, without writing anything.
 *
 * @param given model to start from; null for an untrained one
 * @param opened the network of the settings where it is a topology
 * @throws GraftError GRAFT_ARCHITECTURE_INVALID, GRAFT_STRATEGY_UNKNOWN, GRAFT_PARTITION_INVALID,
 *   GRAFT_OPTION_INVALID; GRAFT_SHAPE_MISMATCH or GRAFT_NOT_FINITE for the model given
 */
export function planRun(
  settings: RunSettings,
  dataset: Dataset,
  given: Weights | null,
  opened?: Network,
): RunPlan {
  const strategy = parseStrategy(settings.strategy)
  assertGivesNetwork(strategy)
  assertTrainsSo(strategy, settings)
  const network = opened ?? networkOf(settings.model, dataset.train)
  const rng = createRng(String(settings.seed))
  assertCanCorrupt(settings, dataset.train)
  const proxy = proxyOf(settings, dataset.train)
  const drawn = rng.split('model')
  if (given !== null) {
    assertSameShapes(given, network.weights)
    assertFinite(given)
  }
  return {
    settings,
    network,
    strategy,
    numTrain: dataset.train.labels.length,
    proxy: splitProxy(subset(dataset.train, proxy), rng.split('proxy')),
    test: dataset.test,
    untrained: () => drawWeights(network.weights, drawn),
    initial: () => (given === null ? drawnWeights(network.weights, drawn) : streamOf(given)),
    rng,
  }
}

/**
 * To a run on the coordinator's own data clients bring theirs, so all of the coordinator's may be the proxy set.
 * A client that is to have a part of them all the same says itself when none is left.
 */
function proxyOf(settings: RunSettings, train: ExampleSet): Int32Array {
  if (settings.data === undefined) return splitDataset(train, settings).proxy
  parsePartition(settings.partition)
  return drawProxy(train, settings)
}

function assertGivesNetwork({ strategy: { name, isComparison } }: ParsedStrategy): void {
  if (isComparison !== true) return
  const others = Object.values<Strategy>(STRATEGIES).filter((other) => other.isComparison !== true)
  throw new GraftError(
    'GRAFT_STRATEGY_UNKNOWN',
    `${name} gives no network to publish; every run measures it beside its strategy, which is one of ` +
      `${others.map((other) => other.name).join(', ')}.`,
  )
}

function assertTrainsSo({ strategy }: ParsedStrategy, { training }: RunSettings): void {
  const { name, onlyOptimizer } = strategy
  if (onlyOptimizer === undefined || training.optimizer === onlyOptimizer.name) return
  throw new GraftError(
    'GRAFT_OPTION_INVALID',
    `${name} ${onlyOptimizer.reason}, and clients would train with ${training.optimizer}: ` +
      `add --optimizer ${onlyOptimizer.name} and a --learning-rate for it, such as 0.1.`,
  )
}

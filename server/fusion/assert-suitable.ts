import { GraftError } from '../../shared/errors.ts'
import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { type ParsedStrategy, STRATEGIES } from './strategies.ts'
import type { ParentCount, Strategy } from './strategy.ts'

/**
 * Asks a strategy whether it can fuse networks like this one, before anybody trains.
 *
 * @throws GraftError GRAFT_STRATEGY_UNSUITABLE naming the layer, and the strategies that can fuse the network;
 *   GRAFT_STRATEGY_UNKNOWN for too many parents, or too few
 */
export function assertSuitable(
  { strategy, options }: ParsedStrategy,
  graph: NeuronGraph,
  numParents: ParentCount,
): void {
  try {
    strategy.check?.(graph, numParents, options)
  } catch (error) {
    if (!(error instanceof GraftError) || error.code !== 'GRAFT_STRATEGY_UNSUITABLE') throw error
    const others = Object.values<Strategy>(STRATEGIES)
      .filter((other) => other.isComparison !== true && other.onlyInRounds === undefined)
      .filter((other) => canFuse(other, graph, numParents))
      .map(({ name }) => name)
    throw new GraftError(
      error.code,
      `${error.problem} Of the others, ${others.join(', ')} can fuse this network.`,
    )
  }
}

function canFuse(strategy: Strategy, graph: NeuronGraph, numParents: ParentCount): boolean {
  try {
    strategy.check?.(graph, numParents, {})
    return true
  } catch (error) {
    if (error instanceof GraftError) return false
    throw error
  }
}

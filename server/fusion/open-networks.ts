import type * as tf from '@tensorflow/tfjs'
import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import type { Weights } from '../../shared/model/weights.ts'
import { type EngineWeights, toEngine } from './engine-weights.ts'
import { createLevelWalk, type LevelWalk } from './level-walk.ts'

/** A network on the engine that examples are led through. */
export interface OpenNetwork {
  readonly weights: EngineWeights
  readonly walk: LevelWalk
}

/**
 * @param networks anything that has weights to load
 * @param x [example, ...]; borrowed for as long as the networks are open
 * @returns in the order given, to be closed with {@link closeNetworks}
 */
export async function openNetworks(
  networks: readonly { load(): Promise<Weights> }[],
  graph: NeuronGraph,
  x: tf.Tensor,
): Promise<OpenNetwork[]> {
  const open: OpenNetwork[] = []
  for (const network of networks) {
    const weights = toEngine(await network.load())
    open.push({ weights, walk: createLevelWalk(graph, weights.source, x) })
  }
  return open
}

export function closeNetworks(networks: readonly OpenNetwork[]): void {
  for (const { weights, walk } of networks) {
    walk.dispose()
    weights.dispose()
  }
}

import type * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../data/example-set.ts'
import { modelWeights } from '../model/model-variables.ts'
import { neuronGraph } from '../model/neuron-graph.ts'
import type { Scorer } from './scorer.ts'
import type { ScorerName } from './scorer-names.ts'
import { type OptionsOf, SCORERS } from './scorers.ts'

/**
 * Scores the neurons of a model on labelled examples.
 *
 * @param model borrowed
 * @param options what every scorer knows, and the scorer's own: `pooling` of deeplift, `ablate` of ablation
 * @returns one array [width] a group of neurons, input side first, head included; fresh
 * @throws GraftError GRAFT_LAYER_UNSUPPORTED naming a layer that has no neurons to follow, or that the
 *   scorer has no way through
 * @throws RangeError without examples, where the scorer looks at any
 */
export async function attribute<Name extends ScorerName>(
  scorer: Name,
  model: tf.LayersModel,
  examples: ExampleSet,
  options?: OptionsOf<Name>,
): Promise<Float32Array[]> {
  const network = { graph: neuronGraph(model), weights: modelWeights(model) }
  const { [scorer]: chosen }: Record<ScorerName, Scorer> = SCORERS
  return chosen.score(network, examples, options ?? {})
}

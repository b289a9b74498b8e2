import type * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../data/example-set.ts'
import { modelWeights } from '../model/model-variables.ts'
import { neuronGraph } from '../model/neuron-graph.ts'
import type { ScorerOptions } from './scorer.ts'
import { SCORERS, type ScorerName } from './scorers.ts'

/**
 * Scores the neurons of a model on labelled examples.
 *
 * @param model borrowed
 * @returns one array [width] a group of neurons, input side first, head included; fresh
 * @throws GraftError GRAFT_LAYER_UNSUPPORTED naming a layer that has no neurons to follow
 * @throws RangeError without examples, where the scorer looks at any
 */
export async function attribute(
  scorer: ScorerName,
  model: tf.LayersModel,
  examples: ExampleSet,
  options: ScorerOptions = {},
): Promise<Float32Array[]> {
  const network = { graph: neuronGraph(model), weights: modelWeights(model) }
  return SCORERS[scorer].score(network, examples, options)
}

import * as tf from '@tensorflow/tfjs'
import type { ScoredBatch } from '../../shared/attribution/score-neurons.ts'
import type { ScoredNetwork } from '../../shared/attribution/scorer.ts'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { modelWeights } from '../../shared/model/model-variables.ts'
import { neuronGraph } from '../../shared/model/neuron-graph.ts'
import { forward } from '../../shared/model/op-graph.ts'

/** All examples as one batch, to be scored at the end of every level; the caller owns its tensors. */
export function scoredBatch(
  model: tf.LayersModel,
  examples: ExampleSet,
): { network: ScoredNetwork; batch: ScoredBatch } {
  const graph = neuronGraph(model)
  const { inputShape, numClasses, labels } = examples
  const indices = [...labels.keys()]
  const oneHot = indices.flatMap((i) =>
    Array.from({ length: numClasses }, (_, c) => (c === labels[i] ? 1 : 0)),
  )
  return {
    network: { graph, weights: modelWeights(model) },
    batch: {
      x: tf.tensor(examples.inputs(indices), [labels.length, ...inputShape]),
      labels: tf.tensor2d(oneHot, [labels.length, numClasses]),
      nodes: [...new Set(graph.levels.flatMap(({ pre, post }) => [pre, post]))],
    },
  }
}

/** For each tensor [example, ...] its sum over all but the examples. */
export async function levelSums(contributions: readonly tf.Tensor[]): Promise<number[][]> {
  const sums = contributions.map((values) =>
    tf.tidy(() => tf.sum(tf.reshape(values, [values.shape[0], -1]), 1)),
  )
  const read = await Promise.all(sums.map((sum) => sum.data()))
  tf.dispose(sums)
  return read.map((values) => [...values])
}

/** The true label's logit at `scale` times each example. */
export async function logitsAt(
  model: tf.LayersModel,
  examples: ExampleSet,
  scale: number,
): Promise<number[]> {
  const logits = tf.tidy(() => {
    const { network, batch } = scoredBatch(model, examples)
    const { outputs } = forward(network.graph.ops, tf.mul(batch.x, scale), network.weights)
    return tf.sum(tf.mul(outputs.at(-1)!, batch.labels), 1)
  })
  const values = await logits.data()
  logits.dispose()
  return [...values]
}

import * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../data/example-set.ts'
import { modelWeights } from '../model/model-variables.ts'
import { type OpGraph, opGraphOf, run, type WeightSource } from '../model/op-graph.ts'
import { createYielder } from './yielder.ts'

const BATCH_SIZE = 256

/**
 * Logits of every example, [size, numClasses] row-major, as in inference: batch normalisation uses its
 * moving statistics, dropout does nothing. Lets other work on the event loop run between batches.
 *
 * @param model borrowed
 * @throws GraftError GRAFT_LAYER_UNSUPPORTED naming a layer that cannot be run
 */
export async function predict(model: tf.LayersModel, examples: ExampleSet): Promise<Float32Array> {
  return predictWith(opGraphOf(model), modelWeights(model), examples)
}

/** The same for a network that is no tfjs model. @param weights borrowed */
export async function predictWith(
  graph: OpGraph,
  weights: WeightSource,
  examples: ExampleSet,
): Promise<Float32Array> {
  const size = examples.labels.length
  const logits = new Float32Array(size * examples.numClasses)
  const breathe = createYielder()
  for (let start = 0; start < size; start += BATCH_SIZE) {
    const indices = Array.from({ length: Math.min(BATCH_SIZE, size - start) }, (_, i) => start + i)
    const output = tf.tidy(() => {
      const shape = [indices.length, ...examples.inputShape]
      const x = tf.tensor(examples.inputs(indices), shape, 'float32')
      return run(graph, x, weights)[0]!
    })
    try {
      logits.set(await output.data(), start * examples.numClasses)
    } finally {
      output.dispose()
    }
    await breathe()
  }
  return logits
}

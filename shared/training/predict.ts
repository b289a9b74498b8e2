import * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../data/example-set.ts'
import { chainOf, forward } from '../model/chain.ts'
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
  const size = examples.labels.length
  const logits = new Float32Array(size * examples.numClasses)
  const chain = chainOf(model)
  const breathe = createYielder()
  for (let start = 0; start < size; start += BATCH_SIZE) {
    const indices = Array.from({ length: Math.min(BATCH_SIZE, size - start) }, (_, i) => start + i)
    const output = tf.tidy(() => {
      const shape = [indices.length, ...examples.inputShape]
      const x = tf.tensor(examples.inputs(indices), shape, 'float32')
      return forward(chain, x).outputs.at(-1)!
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

import * as tf from '@tensorflow/tfjs'
import { readWeights, writeWeights } from '../../shared/model/weights.ts'
import { createRng } from '../../shared/numeric/rng.ts'

/** What lies between the input and the logits. */
export type Body = (x: tf.SymbolicTensor) => tf.SymbolicTensor

/**
 * A network of tf.layers with seeded weights in [-0.5, 0.5), biases too, so that it gives zeros something;
 * variances are in [0.5, 1.5).
 *
 * @returns a model the caller owns
 */
export async function randomNetwork(
  inputShape: readonly number[],
  body: Body,
): Promise<tf.LayersModel> {
  const input = tf.input({ shape: [...inputShape] })
  const model = tf.model({ inputs: input, outputs: body(input) })
  const rng = createRng('network')
  const weights = await readWeights(model)
  for (const { name, data } of weights) {
    const shift = name.endsWith('.movingVariance') ? 0.5 : -0.5
    for (let i = 0; i < data.length; i++) data[i] = rng.next() + shift
  }
  writeWeights(model, weights)
  return model
}

/** Applies layers one after the other. */
export function chain(...layers: readonly tf.layers.Layer[]): Body {
  return (x) => layers.reduce((before, layer) => layer.apply(before) as tf.SymbolicTensor, x)
}

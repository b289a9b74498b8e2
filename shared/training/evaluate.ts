import type * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../data/example-set.ts'
import { predict } from './predict.ts'

export interface Evaluation {
  /** Share of the examples whose largest logit is their class, 0 to 1; the first of equals counts. */
  readonly accuracy: number
  /** Mean softmax cross-entropy, in nats. */
  readonly loss: number
}

/**
 * Judges a model on labelled examples.
 * @param model borrowed
 * @throws RangeError without examples
 */
export async function evaluate(model: tf.LayersModel, examples: ExampleSet): Promise<Evaluation> {
  return judge(await predict(model, examples), examples)
}

/**
 * Judges logits [size, numClasses], whoever made them.
 * @throws RangeError without examples
 */
export function judge(logits: Float32Array, { labels, numClasses }: ExampleSet): Evaluation {
  if (labels.length === 0) throw new RangeError('there is nothing to judge by without examples')
  let [numRight, lossSum] = [0, 0]
  for (const [i, label] of labels.entries()) {
    const row = logits.subarray(i * numClasses, (i + 1) * numClasses)
    const largest = row.reduce((most, logit) => Math.max(most, logit), -Infinity)
    if (row.indexOf(largest) === label) numRight++
    const sum = row.reduce((total, logit) => total + Math.exp(logit - largest), 0)
    lossSum += largest + Math.log(sum) - row[label]!
  }
  return { accuracy: numRight / labels.length, loss: lossSum / labels.length }
}

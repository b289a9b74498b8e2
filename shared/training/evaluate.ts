import type * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../data/example-set.ts'
import { predict } from './predict.ts'

export interface Evaluation {
  /** Share of the examples whose largest logit is their class, 0 to 1; the first of equals counts. */
  readonly accuracy: number
  /** Mean softmax cross-entropy, in nats. */
  readonly loss: number
}

/** An evaluation with what each class has of it. */
export interface ClassEvaluation extends Evaluation {
  /** Share of the examples of each class that are taken for it, [class]; null of a class without examples. */
  readonly classAccuracy: (number | null)[]
}

/**
 * Judges a model on labelled examples.
 * @param model borrowed
 * @throws RangeError without examples
 */
export async function evaluate(
  model: tf.LayersModel,
  examples: ExampleSet,
): Promise<ClassEvaluation> {
  return judge(await predict(model, examples), examples)
}

/**
 * Judges logits [size, numClasses], whoever made them.
 * @throws RangeError without examples
 */
export function judge(logits: Float32Array, { labels, numClasses }: ExampleSet): ClassEvaluation {
  if (labels.length === 0) throw new RangeError('there is nothing to judge by without examples')
  const right = new Int32Array(numClasses)
  const sizes = new Int32Array(numClasses)
  let lossSum = 0
  for (const [i, label] of labels.entries()) {
    const row = logits.subarray(i * numClasses, (i + 1) * numClasses)
    const largest = row.reduce((most, logit) => Math.max(most, logit), -Infinity)
    sizes[label]!++
    if (row.indexOf(largest) === label) right[label]!++
    const sum = row.reduce((total, logit) => total + Math.exp(logit - largest), 0)
    lossSum += largest + Math.log(sum) - row[label]!
  }
  return {
    accuracy: right.reduce((sum, count) => sum + count, 0) / labels.length,
    loss: lossSum / labels.length,
    classAccuracy: Array.from(sizes, (size, label) => (size === 0 ? null : right[label]! / size)),
  }
}

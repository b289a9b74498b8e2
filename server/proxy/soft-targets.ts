import * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import type { LossFunction } from '../../shared/training/fit.ts'

/**
 * What each example should be taken for: the teacher's row, or its mean with the label's one-hot row.
 * Cross-entropy with that mean is `(CE(y, p) + KL(t || p)) / 2` but for half the teacher's entropy, which
 * no weight changes, so it leads the same way.
 * Distillation: Hinton et al. 2015 (arXiv 1503.02531), section 2, at temperature 1; from an ensemble of
 * clients on public data: FedDF, Lin et al. 2020 (arXiv 2006.07242), Algorithm 1.
 *
 * @param teacher probabilities, [example, class], row-major; borrowed
 * @returns rows that sum to 1, of the teacher's shape; for `distill` the teacher itself
 * @throws RangeError when there is no teacher, or one of another size
 */
export function softTargets(
  mode: 'distill' | 'both',
  { labels, numClasses }: Pick<ExampleSet, 'labels' | 'numClasses'>,
  teacher: Float32Array | null,
): Float32Array {
  const length = labels.length * numClasses
  if (teacher?.length !== length) {
    throw new RangeError(
      `Tuning by ${mode} needs ${length} probabilities of a teacher, not ${teacher?.length ?? 0}.`,
    )
  }
  if (mode === 'distill') return teacher
  const targets = teacher.map((probability) => probability / 2)
  labels.forEach((label, i) => (targets[i * numClasses + label]! += 0.5))
  return targets
}

/**
 * Mean cross-entropy with soft targets: `-1/n sum_i sum_c q_ic log softmax(z_i)_c`.
 *
 * @param targets q, [example, class], row-major; borrowed for as long as the loss is used
 */
export function softCrossEntropy(targets: Float32Array): LossFunction {
  return (logits, batch) => {
    const [n, numClasses] = logits.shape
    const rows = new Float32Array(n * numClasses)
    batch.forEach((index, i) => {
      rows.set(targets.subarray(index * numClasses, (index + 1) * numClasses), i * numClasses)
    })
    const q = tf.tensor2d(rows, [n, numClasses])
    return tf.logSoftmax(logits).mul(q).sum().div(-n)
  }
}

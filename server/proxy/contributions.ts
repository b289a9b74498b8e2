import type * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { softmaxRows } from '../../shared/numeric/rows.ts'
import { classShares } from '../fusion/class-shares.ts'
import { inIdOrder } from '../fusion/parents.ts'
import type { Parent } from '../fusion/strategy.ts'
import { ensembleAccuracy, forEachAnswer } from './ensemble.ts'

/**
 * What each parent brings to the ensemble of {@link askParents}: the accuracy of all less that of all others, whose
 * class shares are worked out anew. Leave-one-out, as in Ghorbani & Zou 2019 (arXiv 1904.02868), section 2; it takes
 * no retraining here, as an ensemble is put together again at once. Negative: the others do better without it.
 *
 * @param model of the parents' architecture, but for hidden widths; borrowed, and left as it is
 * @param examples few: the answers of all parents are kept while it lasts, 4 bytes an example, class and parent
 * @returns from -1 to 1, by id; empty of one parent, which has nobody to be left out of
 * @throws GraftError GRAFT_SHAPE_MISMATCH when a parent is of another architecture
 */
export async function contributions(
  model: tf.LayersModel,
  parents: readonly Parent[],
  examples: ExampleSet,
): Promise<ReadonlyMap<string, number>> {
  if (parents.length < 2) return new Map()
  const ordered = inIdOrder(parents)
  const answers: Float32Array[] = [] // [parent][example, class]
  await forEachAnswer(model, ordered, [examples], ({ logits }) => {
    answers.push(softmaxRows(logits, examples.numClasses))
  })
  const counts = ordered.map(({ classCounts }) => classCounts)
  const accuracyOf = (isIn: (k: number) => boolean): number => {
    const shares = classShares(counts.filter((_, k) => isIn(k)))
    return ensembleAccuracy(
      answers.filter((_, k) => isIn(k)),
      shares,
      examples,
    )
  }
  const all = accuracyOf(() => true)
  const n = examples.labels.length
  // Whole examples: a difference of shares has dust behind them.
  return new Map(
    ordered.map(({ id }, left) => {
      const others = accuracyOf((k) => k !== left)
      return [id, Math.round(n * (all - others)) / n]
    }),
  )
}

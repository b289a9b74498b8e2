import type { Evaluation } from '../../shared/training/evaluate.ts'
import { isBetter } from '../../shared/training/is-better.ts'

/**
 * Whether `a` is less accurate than `b` by more than two standard errors of an accuracy, `sqrt(p (1 - p) / n)` with
 * the mean of both for p. On a few hundred examples less than that may be chance, and what an ensemble knows is more
 * than the labels of as few can teach. Not by loss: a pupil of confident networks is confident too, so that its few
 * errors cost much.
 *
 * @param count examples that both were judged on
 */
export function isClearlyWorse(a: Evaluation, b: Evaluation, count: number): boolean {
  if (!isBetter(b, a)) return false
  const p = (a.accuracy + b.accuracy) / 2
  return Number.isNaN(a.loss) || b.accuracy - a.accuracy > 2 * Math.sqrt((p * (1 - p)) / count)
}

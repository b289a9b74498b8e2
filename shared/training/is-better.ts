import type { Evaluation } from './evaluate.ts'

/**
 * Is `a` strictly better: more accurate, or as accurate with a smaller loss? What is not a number is
 * better than nothing, and everything else is better than it.
 */
export function isBetter(a: Evaluation, b: Evaluation): boolean {
  if (!isNumber(a)) return false
  if (!isNumber(b)) return true
  return a.accuracy > b.accuracy || (a.accuracy === b.accuracy && a.loss < b.loss)
}

const isNumber = ({ accuracy, loss }: Evaluation): boolean => !Number.isNaN(accuracy + loss)

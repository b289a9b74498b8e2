import type { Parent } from '../fusion/strategy.ts'
import type { Opinion } from './ensemble.ts'
import { isBetter } from '../../shared/training/is-better.ts'

/** The parent that is best on the examples of an opinion, by accuracy, then loss; the first id of equals. */
export function bestParent(parents: readonly Parent[], opinion: Pick<Opinion, 'parents'>): Parent {
  const [first, ...others] = opinion.parents
  const [bestId] = others.reduce((a, b) => (isBetter(b[1], a[1]) ? b : a), first!)
  return parents.find(({ id }) => id === bestId)!
}

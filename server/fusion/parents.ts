import { compareIds } from '../../shared/ids.ts'
import type { Parent } from './strategy.ts'

/**
 * The parents in the order of every sum and every tree, whoever uploaded first.
 *
 * @returns a fresh array, sorted by id
 * @throws RangeError when there is none: the caller's mistake, so no code
 */
export function inIdOrder(parents: readonly Parent[]): Parent[] {
  if (parents.length === 0) throw new RangeError('A fusion needs at least one parent.')
  return [...parents].sort((a, b) => compareIds(a.id, b.id))
}

import { compareIds } from '../../shared/ids.ts'
import { assertFinite, type Weights } from '../../shared/model/weights.ts'
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

/**
 * Loads a parent and looks at every number: an upload was looked at when it came in, a file or a caller's
 * own network was not, and one NaN spreads to all that is fused with it.
 *
 * @returns borrowed
 * @throws GraftError GRAFT_NOT_FINITE naming the parent and the weight
 */
export async function loadFinite(parent: Parent): Promise<Weights> {
  const weights = await parent.load()
  assertFinite(weights, `Parent ${parent.id}: `)
  return weights
}

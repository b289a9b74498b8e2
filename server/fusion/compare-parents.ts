import type { DiversityReport } from '../../shared/protocol/diversity-report.ts'
import { checkParents } from './check-parents.ts'
import { measureDiversity } from './diversity.ts'
import { forecastTransplantation } from './forecast.ts'
import type { FusionInput } from './strategy.ts'

/**
 * How diverse parents are and what that foretells, before they are fused.
 *
 * @returns null of one parent
 * @throws GraftError what `fuseParents` refuses of parents
 */
export async function compareParents(
  input: Pick<FusionInput, 'parents' | 'graph' | 'proxy' | 'rng' | 'onProgress' | 'signal'>,
): Promise<DiversityReport | null> {
  await checkParents(input.parents, input.graph)
  if (input.parents.length < 2) return null
  const measured = await measureDiversity(input)
  const { parents, levels, pairs } = measured
  return {
    parents: [...parents],
    levels: [...levels],
    pairs: pairs.map((pair) => ({ ...pair, parents: [...pair.parents], cka: [...pair.cka] })),
    forecast: forecastTransplantation(measured),
  }
}

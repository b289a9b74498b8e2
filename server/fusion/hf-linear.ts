import { GraftError } from '../../shared/errors.ts'
import { assign } from '../../shared/numeric/assignment.ts'
import { HEAD_OPTION } from './head-shares.ts'
import type { Grouping } from './grouping.ts'
import { fuseLinearly, type LevelFit, PRIOR_OPTION } from './linear-fusion.ts'
import { SCORES_OPTION } from './parent-scores.ts'
import { chooseOptions } from './strategy-options.ts'
import type { Fusion, FusionInput, Strategy } from './strategy.ts'

const OPTIONS = { scores: SCORES_OPTION, head: HEAD_OPTION, prior: PRIOR_OPTION } as const

/**
 * Hungarian fusion, linear: of two parents, pairs of neurons whose joint neuron is nearest to both become
 * one. Model Fusion via Neuron Interpolation, arXiv 2507.00037 (HF).
 */
export const hfLinear: Strategy = {
  name: 'hf-linear',
  summary: 'pairs of neurons of two parents, solved layer by layer',
  paper: 'arXiv 2507.00037, HF',
  options: OPTIONS,
  fuse,
}

async function fuse(input: FusionInput): Promise<Fusion> {
  const options = chooseOptions('hf-linear', OPTIONS, input.options)
  if (input.parents.length > 2) {
    throw new GraftError(
      'GRAFT_STRATEGY_UNKNOWN',
      `hf-linear pairs the neurons of two parents, and there are ${input.parents.length}; take kf-linear.`,
    )
  }
  const rules = { ...options, strategy: 'hf-linear', normalise: false }
  return fuseLinearly(input, rules, pair)
}

/**
 * The pairing of least `s_i |p_ij - a_i| + s_j |p_ij - a_j|`, with p_ij = (s_i p_i + s_j p_j) / (s_i + s_j)
 * the fit of the joint neuron. Of parents of unequal widths, and of one parent, neurons stay alone.
 */
async function pair(level: LevelFit): Promise<Grouping> {
  const { columns, scores, width } = level
  const first = columns.filter(({ parent }) => parent === 0).length
  const second = columns.length - first
  if (second === 0 || first !== second || width !== first) {
    throw new GraftError(
      'GRAFT_SHAPE_MISMATCH',
      `hf-linear needs two parents as wide as the fused network, and level ${level.name} has ` +
        `${first} and ${second} neurons for ${width}; take kf-linear.`,
    )
  }
  const cost = pairCosts(await squaredDistances(level), level, first)
  const partner = assign(cost, { rows: first, columns: second })
  return Array.from({ length: first }, (_, i) => {
    const j = first + partner[i]!
    const sum = scores[i]! + scores[j]!
    return [
      { column: i, share: scores[i]! / sum },
      { column: j, share: scores[j]! / sum },
    ]
  })
}

/**
 * As p_i is the projection of a_i, |p_ij - a_i|^2 = r_i^2 + |p_ij - p_i|^2, and p_ij - p_i is the share of j
 * of p_j - p_i.
 */
export function pairCosts(
  distances: Float64Array,
  { scores, fit: { residuals } }: Pick<LevelFit, 'scores' | 'fit'>,
  first: number,
): Float64Array {
  const total = scores.length
  const second = total - first
  const cost = new Float64Array(first * second)
  for (let i = 0; i < first; i++) {
    for (let j = 0; j < second; j++) {
      const [a, b] = [scores[i]!, scores[first + j]!]
      const squared = distances[i * total + first + j]! / (a + b) ** 2
      cost[i * second + j] =
        a * Math.sqrt(residuals[i]! + b * b * squared) +
        b * Math.sqrt(residuals[first + j]! + a * a * squared)
    }
  }
  return cost
}

/** |p_i - p_j|^2 of all columns, [columns, columns]. */
async function squaredDistances({ fit, columns }: LevelFit): Promise<Float64Array> {
  const gram = await fit.gram()
  const n = columns.length
  return Float64Array.from(gram, (product, at) => {
    const [i, j] = [Math.floor(at / n), at % n]
    return Math.max(0, gram[i * n + i]! + gram[j * n + j]! - 2 * product)
  })
}

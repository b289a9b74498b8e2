import { GraftError } from '../../shared/errors.ts'
import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { assign } from '../../shared/numeric/assignment.ts'
import type { Grouping } from './grouping.ts'
import { fuseLinearly, type LevelFit, LINEAR_OPTIONS } from './linear-fusion.ts'
import { assertLinear } from './linear-level.ts'
import { chooseOptions } from './strategy-options.ts'
import type { Fusion, FusionInput, ParentCount, Strategy } from './strategy.ts'

/**
 * Hungarian fusion, linear: of two parents, pairs of neurons whose joint neuron is nearest to both become
 * one. Model Fusion via Neuron Interpolation, arXiv 2507.00037 (HF).
 */
export const hfLinear: Strategy = {
  name: 'hf-linear',
  holds: 'networks',
  summary: 'pairs of neurons of two parents, solved layer by layer',
  paper: 'arXiv 2507.00037, HF',
  options: LINEAR_OPTIONS,
  check,
  fuse,
}

function check(graph: NeuronGraph, { most }: Pick<ParentCount, 'most'>): void {
  assertLinear(graph, 'hf-linear')
  if (most <= 2) return
  throw new GraftError(
    'GRAFT_STRATEGY_UNKNOWN',
    `hf-linear pairs the neurons of two parents, and there are ${most}; take kf-linear.`,
  )
}

async function fuse(input: FusionInput): Promise<Fusion> {
  const options = chooseOptions('hf-linear', LINEAR_OPTIONS, input.options)
  check(input.graph, { most: input.parents.length })
  const rules = { ...options, strategy: 'hf-linear', normalise: false }
  return fuseLinearly(input, rules, async (level) => level.given ?? pair(level))
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
  const cost = await pairCosts(level, first)
  const partner = assign(cost, { rows: first, columns: second })
  return Array.from({ length: first }, (_, i) => {
    const j = first + partner[i]!
    const sum = scores[i]! + scores[j]!
    return [
      { column: i, share: sum > 0 ? scores[i]! / sum : 1 / 2 },
      { column: j, share: sum > 0 ? scores[j]! / sum : 1 / 2 },
    ]
  })
}

/**
 * As p_i is the projection of a_i, |p_ij - a_i|^2 = r_i^2 + |p_ij - p_i|^2, and p_ij - p_i is the share of j
 * of p_j - p_i.
 *
 * @param first neurons of the first parent
 * @returns [neuron of the first parent, neuron of the second]
 */
export async function pairCosts(
  { scores, fit }: Pick<LevelFit, 'scores' | 'fit'>,
  first: number,
): Promise<Float64Array> {
  const products = await fit.gram()
  const total = scores.length
  const product = (i: number, j: number) => products[i * total + j]!
  const second = total - first
  const cost = new Float64Array(first * second)
  for (let i = 0; i < first; i++) {
    for (let j = first; j < total; j++) {
      const [a, b] = [scores[i]!, scores[j]!]
      if (a + b === 0) continue // a pair of dead neurons costs nothing
      const squared = Math.max(0, product(i, i) + product(j, j) - 2 * product(i, j)) / (a + b) ** 2
      cost[i * second + j - first] =
        a * Math.sqrt(fit.residuals[i]! + b * b * squared) +
        b * Math.sqrt(fit.residuals[j]! + a * a * squared)
    }
  }
  return cost
}

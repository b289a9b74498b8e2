import { kMeansOfGram } from '../../shared/numeric/k-means.ts'
import type { Rng } from '../../shared/numeric/rng.ts'
import { HEAD_OPTION } from './head-shares.ts'
import { type Grouping, groupingOf, parentStarts } from './grouping.ts'
import { fuseLinearly, type LevelFit } from './linear-fusion.ts'
import { SCORES_OPTION } from './parent-scores.ts'
import { chooseOptions } from './strategy-options.ts'
import type { Fusion, FusionInput, Strategy } from './strategy.ts'

const OPTIONS = {
  scores: SCORES_OPTION,
  head: HEAD_OPTION,
  prior: ['none', 'parents'],
  ridge: ['0', '-1', '1e-4', '1e-3', '1e-2', '1e-1', '1'],
} as const

/** Examples of the proxy set that are looked at; the paper takes 400. */
const COUNT = 2000

/**
 * K-means fusion, linear: neurons of all parents are clustered by what they do on the proxy set, and each
 * fused neuron is the centre of a cluster, solved for layer by layer. Model Fusion via Neuron
 * Interpolation, arXiv 2507.00037 (KF).
 *
 * The paper weighs the head by scores (`head=scores`); by class shares is better for parents that have not
 * seen all classes, and the default.
 */
export const kfLinear: Strategy = {
  name: 'kf-linear',
  summary: 'clusters of all parents’ neurons, solved layer by layer',
  paper: 'arXiv 2507.00037, KF',
  options: OPTIONS,
  fuse,
}

async function fuse(input: FusionInput): Promise<Fusion> {
  const { scores, head, prior, ridge } = chooseOptions('kf-linear', OPTIONS, input.options)
  const rules = {
    strategy: 'kf-linear',
    scores,
    head,
    normalise: scores === 'uniform',
    count: COUNT,
    prior,
    ridge: Number(ridge),
  }
  return fuseLinearly(input, rules, (fit) => clusterLevel(fit, input.rng.split(fit.level.name)))
}

/** Clusters of columns near each other, each with the shares of its scores. */
async function clusterLevel(fit: LevelFit, rng: Rng): Promise<Grouping> {
  const { scores, solution, width } = fit
  const { assignment } = kMeansOfGram(await solution.fittedGram(), {
    weights: scores,
    offsets: solution.residuals,
    clusters: width,
    rng,
    starts: parentStarts(fit),
  })
  return groupingOf(assignment, scores, width)
}

import { kMeansOfGram } from '../../shared/numeric/k-means.ts'
import type { Rng } from '../../shared/numeric/rng.ts'
import { type Grouping, groupingOf, parentStarts, restartsFor } from './grouping.ts'
import { fuseLinearly, type LevelFit, LINEAR_OPTIONS } from './linear-fusion.ts'
import { assertLinear } from './linear-level.ts'
import { chooseOptions } from './strategy-options.ts'
import type { Fusion, FusionInput, Strategy } from './strategy.ts'

/**
 * K-means fusion, linear: neurons of all parents are clustered by what they do on the proxy set, and each
 * fused neuron is the centre of a cluster, solved for layer by layer. Model Fusion via Neuron
 * Interpolation, arXiv 2507.00037 (KF).
 *
 * Two departures, both options: the paper starts least squares at nothing (`prior=none`) and weighs the head
 * by scores (`head=scores`). Starting from the parents' weights is a third of a point better with 400 proxy images
 * and level with 1,600 (ARCHITECTURE.md, "Better than the papers"); class shares are for parents that have
 * not seen all classes.
 */
export const kfLinear: Strategy = {
  name: 'kf-linear',
  holds: 'networks',
  summary: 'clusters of all parents’ neurons, solved layer by layer',
  paper: 'arXiv 2507.00037, KF',
  options: LINEAR_OPTIONS,
  check: (graph) => assertLinear(graph, 'kf-linear'),
  fuse,
}

async function fuse(input: FusionInput): Promise<Fusion> {
  const options = chooseOptions('kf-linear', LINEAR_OPTIONS, input.options)
  const rules = { ...options, strategy: 'kf-linear', normalise: options.scores === 'uniform' }
  return fuseLinearly(
    input,
    rules,
    async (level) => level.given ?? clusterLevel(level, input.rng.split(level.name)),
  )
}

/** Clusters of columns near each other, each with the shares of its scores. */
export async function clusterLevel(level: LevelFit, rng: Rng): Promise<Grouping> {
  const { scores, fit, width } = level
  const { assignment } = kMeansOfGram(await fit.gram(), {
    weights: scores,
    offsets: fit.residuals,
    clusters: width,
    rng,
    starts: parentStarts(level),
    restarts: restartsFor(scores.length * width),
  })
  return groupingOf(assignment, scores, width)
}

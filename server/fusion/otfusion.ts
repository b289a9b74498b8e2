import { GraftError } from '../../shared/errors.ts'
import { headGroup, type NeuronGraph, widthsOf } from '../../shared/model/neuron-graph.ts'
import { transportPlan } from '../../shared/numeric/transport.ts'
import { type AlignedParent, alignParents, type GroupPair, meanByNeuron } from './align-parents.ts'
import type { GroupAlignment, Transport } from './align-weights.ts'
import { byActivations, byWeights } from './compare-neurons.ts'
import { HEAD_OPTION, headShares } from './head-shares.ts'
import { type Contribution, ledgerOf } from './ledger.ts'
import { measureWidths } from './measure-widths.ts'
import { parentScores, SCORES_OPTION } from './parent-scores.ts'
import { inIdOrder } from './parents.ts'
import { inputTensor, proxyExamples } from './proxy-inputs.ts'
import { chooseOptions } from './strategy-options.ts'
import type { Fusion, FusionInput, Parent, Strategy } from './strategy.ts'

const OPTIONS = {
  /** What neurons are compared by: what they do, or the weights that make them. */
  by: ['activations', 'weights'],
  scores: SCORES_OPTION,
  /**
   * What a neuron put together of several is divided by: the mass of its place, which keeps its scale, or
   * the masses of what goes in, as NI's reference has it. The same for equal masses.
   */
  marginals: ['target', 'aligned'],
  head: HEAD_OPTION,
} as const

/** Examples of the proxy set that are looked at. */
const COUNT = 400

/**
 * Optimal transport fusion (Singh & Jaggi 2020, arXiv 1910.05653, Algorithm 1): each other parent's neurons
 * are carried over to those of the first by the cheapest plan, exact also for unequal widths, and the
 * results are averaged. Scores are the masses. The first is the first that is as wide as the fused network.
 */
export const otFusion: Strategy = {
  name: 'otfusion',
  holds: 'networks',
  summary: 'carries neurons over to those of the first parent by optimal transport, then averages',
  paper: 'arXiv 1910.05653, Algorithm 1',
  options: OPTIONS,
  fuse,
}

async function fuse(input: FusionInput): Promise<Fusion> {
  const options = chooseOptions('otfusion', OPTIONS, input.options)
  const { graph } = input
  const parents = await fittingFirst(inIdOrder(input.parents), graph)
  const [first, ...others] = parents
  const rng = input.rng.split('examples')
  const examples = proxyExamples(input, { strategy: 'otfusion', count: COUNT, rng })
  const scores = await parentScores(options.scores, parents, graph, examples)
  const x = inputTensor(examples)
  try {
    const compare = options.by === 'weights' ? byWeights : byActivations(x, 'pre')
    const aligned = await alignParents(first!, others, {
      graph,
      compare,
      align: (pair, other) =>
        transported(pair, options.marginals, {
          own: scores[other + 1]![pair.group.index]!,
          target: scores[0]![pair.group.index]!,
        }),
    })
    const { index } = headGroup(graph)
    const shares: Float64Array[][] = parents.map(() =>
      widthsOf(graph).map((width) => new Float64Array(width).fill(1 / parents.length)),
    )
    const ofHead = scores.map((ofParent) => ofParent[index]!)
    headShares(parents, options.head, ofHead).forEach((share, k) => (shares[k]![index] = share))
    const networks = [await first!.load(), ...aligned.map(({ weights }) => weights)]
    return {
      weights: meanByNeuron(networks, graph, shares),
      ledger: ledgerOf(
        graph,
        parents.map(({ id }) => id),
        (group, to) => contributions(aligned, { group, to, share: 1 / parents.length }),
      ),
    }
  } finally {
    x.dispose()
  }
}

/** The parents, with the first of the fused network's widths in front. */
async function fittingFirst(parents: Parent[], graph: NeuronGraph): Promise<Parent[]> {
  const wanted = String(widthsOf(graph))
  for (const parent of parents) {
    if (String(measureWidths(await parent.load(), graph, parent.id)) !== wanted) continue
    return [parent, ...parents.filter((other) => other !== parent)]
  }
  throw new GraftError(
    'GRAFT_SHAPE_MISMATCH',
    'otfusion carries neurons over to a parent of the fused network’s widths, and there is none; take nt or kf-linear.',
  )
}

/** The cheapest plan T, rows = neurons that move, columns = places, as sums over weights. */
function transported(
  { sizes: [from, to], distances }: GroupPair,
  marginals: 'target' | 'aligned',
  scores: { readonly own: Float64Array; readonly target: Float64Array },
): GroupAlignment {
  const [mu, nu] = [masses(scores.own), masses(scores.target)]
  const plan = transportPlan(distances, mu, nu)
  const outputs: Transport[] = []
  const readers: Transport[] = []
  for (let i = 0; i < from; i++) {
    for (let j = 0; j < to; j++) {
      const moved = plan[i * to + j]!
      if (moved === 0) continue
      const [byOwn, byPlace] = [moved / mu[i]!, moved / nu[j]!]
      const isReference = marginals === 'aligned'
      outputs.push({ from: i, to: j, value: isReference ? byOwn : byPlace })
      readers.push({ from: i, to: j, value: isReference ? byPlace : byOwn })
    }
  }
  return { outputs, readers }
}

/** Least mass of a neuron, relative to their mean. */
const LEAST_MASS = 1e-6

/**
 * Scores as masses, which sum to 1. None is 0: to the place of a dead neuron nothing would be carried, and
 * the average with nothing would halve what lies there.
 */
export function masses(scores: Float64Array): Float64Array {
  const mean = scores.reduce((total, score) => total + score, 0) / scores.length
  const filled = scores.map((score) => (mean > 0 ? Math.max(score, LEAST_MASS * mean) : 1))
  const sum = filled.reduce((total, mass) => total + mass, 0)
  return filled.map((mass) => mass / sum)
}

function contributions(
  aligned: readonly AlignedParent[],
  { group, to, share }: { group: number; to: number; share: number },
): Contribution[] {
  const others = aligned.flatMap(({ alignments }, other) => {
    const moves = alignments[group]?.outputs.filter((move) => move.to === to) ?? []
    const sum = moves.reduce((total, { value }) => total + value, 0)
    return moves.map(({ from, value }) => ({
      parent: other + 1,
      neuron: from,
      share: (share * value) / sum,
      score: null,
    }))
  })
  return [{ parent: 0, neuron: to, share, score: null }, ...others]
}

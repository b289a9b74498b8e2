import { headGroup } from '../../shared/model/neuron-graph.ts'
import { assign } from '../../shared/numeric/assignment.ts'
import { GraftError } from '../../shared/errors.ts'
import { type AlignedParent, alignParents, meanByNeuron } from './align-parents.ts'
import { byActivations } from './compare-neurons.ts'
import { HEAD_OPTION, headShares } from './head-shares.ts'
import { ledgerOf } from './ledger.ts'
import { parentScores, SCORES_OPTION } from './parent-scores.ts'
import { inIdOrder } from './parents.ts'
import { inputTensor, proxyExamples } from './proxy-inputs.ts'
import { chooseOptions } from './strategy-options.ts'
import type { Fusion, FusionInput, Strategy } from './strategy.ts'

const OPTIONS = { scores: SCORES_OPTION, head: HEAD_OPTION } as const

/** Examples of the proxy set that are looked at. */
const COUNT = 400

/**
 * Git Re-Basin by activations (Ainsworth et al. 2022, arXiv 2209.04836, section 3.1): the neurons of every
 * other parent are permuted to those of the first that they are most like, and weights are averaged. As
 * the NI reference has it, in one pass and with each neuron weighed by its score.
 */
export const gitRebasin: Strategy = {
  name: 'git-rebasin',
  holds: 'networks',
  summary: 'permutes neurons onto those of the first parent, then averages',
  paper: 'arXiv 2209.04836, section 3.1',
  options: OPTIONS,
  fuse,
}

async function fuse(input: FusionInput): Promise<Fusion> {
  const { scores: scoresOption, head } = chooseOptions('git-rebasin', OPTIONS, input.options)
  const { graph } = input
  const parents = inIdOrder(input.parents)
  const [first, ...others] = parents
  const rng = input.rng.split('examples')
  const examples = proxyExamples(input, { strategy: 'git-rebasin', count: COUNT, rng })
  const scores = await parentScores(scoresOption, parents, graph, examples)
  const x = inputTensor(examples)
  try {
    const aligned = await alignParents(first!, others, {
      graph,
      compare: byActivations(x, 'post'),
      align({ group, sizes: [from, to], distances }, other) {
        if (from !== to) {
          throw new GraftError(
            'GRAFT_SHAPE_MISMATCH',
            `git-rebasin permutes neurons one for one, and level ${group.name} has ${from} and ${to}; take otfusion.`,
          )
        }
        const [own, theirs] = [scores[other + 1]![group.index]!, scores[0]![group.index]!]
        const target = assign(meanCosts(distances, own, theirs), { rows: from, columns: to })
        const moves = Array.from(target, (column, row) => ({ from: row, to: column, value: 1 }))
        return { outputs: moves, readers: moves }
      },
    })
    const shares = neuronShares(graph.groups.length, { scores, aligned })
    const { index } = headGroup(graph)
    headShares(
      parents,
      head,
      scores.map((ofParent) => ofParent[index]!),
    ).forEach((share, k) => (shares[k]![index] = share))
    const networks = [await first!.load(), ...aligned.map(({ weights }) => weights)]
    return {
      weights: meanByNeuron(networks, graph, shares),
      ledger: ledgerOf(
        graph,
        parents.map(({ id }) => id),
        (group, to) =>
          parents.map((_, parent) => {
            const moves = aligned[parent - 1]?.alignments[group]?.outputs
            const neuron = moves?.find((move) => move.to === to)?.from ?? to
            return {
              parent,
              neuron,
              share: shares[parent]![group]![to]!,
              score: scores[parent]![group]![neuron]!,
            }
          }),
      ),
    }
  } finally {
    x.dispose()
  }
}

/**
 * How far two neurons are from their mean m weighted by scores, s_i |m - a_i| + s_j |m - a_j|.
 * @param distances |a_i - a_j|, [i, j]
 */
export function meanCosts(
  distances: Float64Array,
  rows: Float64Array,
  columns: Float64Array,
): Float64Array {
  return distances.map((distance, at) => {
    const [a, b] = [rows[Math.floor(at / columns.length)]!, columns[at % columns.length]!]
    return a + b > 0 ? (2 * a * b * distance) / (a + b) : 0
  })
}

/** Each neuron's score over the sum of those that it is averaged with, [parent][group][neuron of the first]. */
function neuronShares(
  numGroups: number,
  {
    scores,
    aligned,
  }: { scores: readonly (readonly Float64Array[])[]; aligned: readonly AlignedParent[] },
): Float64Array[][] {
  const moved = scores.map((ofParent, parent) =>
    Array.from({ length: numGroups }, (_, group) => {
      const own = ofParent[group]!
      const there = own.slice()
      for (const { from, to } of aligned[parent - 1]?.alignments[group]?.outputs ?? []) {
        there[to] = own[from]!
      }
      return there
    }),
  )
  return moved.map((ofParent) =>
    ofParent.map((own, group) =>
      own.map((score, neuron) => {
        const sum = moved.reduce((total, other) => total + other[group]![neuron]!, 0)
        return sum > 0 ? score / sum : 1 / moved.length
      }),
    ),
  )
}

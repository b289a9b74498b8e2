import { GraftError } from '../../shared/errors.ts'
import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { blockStrategy } from './block-strategy.ts'
import { slicesOf } from './coordinate-slices.ts'
import { averageOf } from './fedavg.ts'
import { ledgerOf } from './ledger.ts'
import { inIdOrder } from './parents.ts'
import { chooseOptions } from './strategy-options.ts'
import type { FusionInput, OpenFusion, Parent, ParentCount } from './strategy.ts'

const OPTIONS = {
  /** Parents that may be Byzantine: of any weights at all. */
  f: ['1', '0', '2', '3', '4', '5', '6', '8', '10', '15', '20'],
  /** Parents that are averaged: Multi-Krum; 1 is Krum. */
  m: ['1', '2', '3', '4', '5', '6', '8', '10', '15', '20', '50'],
} as const

/**
 * Krum: the parent that is closest to those around it,
 * `argmin_i s(i)` with `s(i) = sum_{i -> j} |w_i - w_j|^2` over the n - f - 2 parents j closest to i; of equal
 * scores the first by id. With m > 1 Multi-Krum, the mean of the m of the smallest scores, each counting
 * alike. Blanchard et al. 2017 (arXiv 1703.02757), "The Krum function" and "Multi-Krum".
 *
 * Needs n >= 2f + 3 parents, the paper's 2f + 2 < n. Distances are over all weights, moving
 * statistics included, as what is not looked at could be sent wrong. A slice of each parent is in memory at a time.
 */
export const krum = blockStrategy({
  name: 'krum',
  summary: 'the parent that is closest to the others, or the mean of the m closest',
  paper: 'arXiv 1703.02757, the Krum function and Multi-Krum',
  options: OPTIONS,
  check,
  open,
})

interface Numbers {
  readonly f: number
  readonly m: number
}

function check(
  _graph: NeuronGraph,
  { fewest }: Pick<ParentCount, 'fewest'>,
  given: FusionInput['options'],
): Numbers {
  const options = chooseOptions('krum', OPTIONS, given)
  const [f, m] = [Number(options.f), Number(options.m)]
  if (fewest < 2 * f + 3) {
    throw refusal(f, `needs ${2 * f + 3} parents or more (2f + 3), and there may be ${fewest}`)
  }
  if (m > fewest - f) {
    throw refusal(
      f,
      `takes ${fewest - f} of ${fewest} parents for right, and is to average m=${m} of them`,
    )
  }
  return { f, m }
}

function refusal(f: number, problem: string): GraftError {
  const remedy = 'take more parents, or a higher quorum, or other options.'
  return new GraftError('GRAFT_STRATEGY_UNKNOWN', `krum:f=${f} ${problem}; ${remedy}`)
}

async function open(input: FusionInput): Promise<OpenFusion> {
  const { graph } = input
  const parents = inIdOrder(input.parents)
  const { f, m } = check(graph, { fewest: parents.length }, input.options)
  const scores = krumScores(await squaredDistances({ ...input, parents }), f)
  const ranked = [...parents.keys()].sort((a, b) => scores[a]! - scores[b]! || a - b)
  const chosen = ranked.slice(0, m).sort((a, b) => a - b)
  const made = chosen.map((parent) => ({ parent, share: 1 / m, score: scores[parent]! }))
  return {
    weights: averageOf(
      chosen.map((k) => ({ parent: parents[k]!, share: 1 / m })),
      graph,
      input.signal,
    ),
    ledger: () =>
      ledgerOf(
        graph,
        parents.map(({ id }) => id),
        (_, neuron) => made.map((contribution) => ({ ...contribution, neuron })),
      ),
    reason: reasonFor(parents, chosen, f),
  }
}

/**
 * Sum of each parent's squared distances to the n - f - 2 others that are closest to it, [parent].
 * @param distances squared, [parent][parent]
 */
function krumScores(distances: readonly Float64Array[], f: number): Float64Array {
  const numClosest = distances.length - f - 2
  return Float64Array.from(distances, (own, i) => {
    const others = own.filter((_, j) => j !== i).sort()
    return others.subarray(0, numClosest).reduce((sum, distance) => sum + distance, 0)
  })
}

/** |w_i - w_j|^2, [parent][parent], summed in float64. */
async function squaredDistances(
  input: Pick<FusionInput, 'parents' | 'graph' | 'signal'>,
): Promise<Float64Array[]> {
  const n = input.parents.length
  const distances = input.parents.map(() => new Float64Array(n))
  for await (const { values } of slicesOf(input)) {
    for (let i = 1; i < n; i++) {
      for (let j = 0; j < i; j++) {
        distances[i]![j]! += squaredDistance(values[i]!, values[j]!)
        distances[j]![i] = distances[i]![j]!
      }
    }
  }
  return distances
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) {
    const difference = a[i]! - b[i]!
    sum += difference * difference
  }
  return sum
}

function reasonFor(parents: readonly Parent[], chosen: readonly number[], f: number): string {
  const names = chosen.map((k) => parents[k]!.id).join(', ')
  const verb = chosen.length === 1 ? 'lies' : 'lie'
  return (
    `krum took ${names} of ${parents.length} parents, which ${verb} closest to the ` +
    `${parents.length - f - 2} around it; it assumes that at most ${f} may be wrong.`
  )
}

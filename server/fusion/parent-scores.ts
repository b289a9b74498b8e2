import { SCORERS } from '../../shared/attribution/scorers.ts'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { GraftError } from '../../shared/errors.ts'
import { type NeuronGraph, withWidths } from '../../shared/model/neuron-graph.ts'
import { toEngine } from './engine-weights.ts'
import { measureWidths } from './measure-widths.ts'
import type { Parent } from './strategy.ts'

/**
 * Where the scores that weigh neurons come from: those that the parents sent, none (every neuron alike), or
 * a scorer that runs on the proxy set.
 */
export const SCORES_OPTION = ['sent', 'uniform', 'conductance', 'deeplift', 'ablation'] as const
export type ScoresOption = (typeof SCORES_OPTION)[number]

/** What our own scorers give a dead neuron: scores are divided by their sums. */
const FLOOR = 1e-8

/**
 * Scores of every neuron of every parent, in the order of the parents. Parents that sent none count alike.
 *
 * @param examples of the proxy set, for scorers that look at any
 * @returns [parent][group][neuron]
 * @throws GraftError GRAFT_SHAPE_MISMATCH when a parent sent scores for other neurons than it has
 */
export async function parentScores(
  option: ScoresOption,
  parents: readonly Parent[],
  graph: NeuronGraph,
  examples: ExampleSet,
): Promise<Float64Array[][]> {
  const scores: Float64Array[][] = []
  for (const parent of parents) {
    const weights = await parent.load()
    const widths = measureWidths(weights, graph, parent.id)
    const isUniform = option === 'uniform' || (option === 'sent' && parent.scores.length === 0)
    if (isUniform) {
      scores.push(widths.map((width) => new Float64Array(width).fill(1)))
      continue
    }
    if (option === 'sent') {
      scores.push(sentScores(parent, graph, widths))
      continue
    }
    const onEngine = toEngine(weights)
    try {
      const network = { graph: withWidths(graph, widths), weights: onEngine.source }
      const computed = await SCORERS[option].score(network, examples, {})
      scores.push(computed.map((ofGroup) => Float64Array.from(ofGroup)))
    } finally {
      onEngine.dispose()
    }
  }
  return scores
}

function sentScores(
  { id, scores }: Parent,
  { groups }: NeuronGraph,
  widths: readonly number[],
): Float64Array[] {
  return groups.map(({ index, name }) => {
    const sent = scores[index] ?? new Float32Array(0)
    if (sent.length === widths[index]) return Float64Array.from(sent, (s) => Math.max(s, FLOOR))
    throw new GraftError(
      'GRAFT_SHAPE_MISMATCH',
      `Parent ${id} sent ${sent.length} scores for the ${widths[index]!} neurons of ${name}.`,
    )
  })
}

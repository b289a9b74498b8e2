import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { type Candidate, type Choice, chooseNeurons, type ChoiceRules } from './choose-neurons.ts'
import type { HeadRule, HeadWeight } from './scale-head.ts'
import { headWeights } from './scale-head.ts'

export interface TransplantRules extends ChoiceRules {
  readonly head: HeadRule
}

/**
 * A network of a fusion tree, which is never built: which neurons of which parents are in it, in the order
 * in which they stand side by side.
 */
export interface Selection extends HeadWeight {
  readonly candidates: readonly Candidate[]
}

/** What a merge has chosen, and why. */
export interface Merge extends Selection {
  /** [group]; candidates in the order of the selection. */
  readonly choices: readonly Choice[]
}

/**
 * Merges networks into one by choosing their most important neurons: what NT (arXiv 2502.06849) gets by
 * concatenating the networks, scaling their heads and pruning whole neurons. A neuron keeps its weights to
 * the neurons of its own network; those to neurons of another are zero.
 *
 * @param networks at least one, in the order in which their neurons stand side by side; unchanged
 */
export async function merge(
  networks: readonly Selection[],
  graph: NeuronGraph,
  rules: TransplantRules,
): Promise<Merge> {
  const weights = headWeights(networks, rules.head)
  const scaled = networks.map(({ candidates }, k) =>
    candidates.map((candidate) => ({
      ...candidate,
      headScale: candidate.headScale.map((scale, c) => scale * weights[k]![c]!),
    })),
  )
  // prune-merge judges every network as it is; only merge-prune sees the heads as they will be.
  const judged =
    rules.variant === 'prune-merge' ? networks.map(({ candidates }) => candidates) : scaled
  const choices = await chooseNeurons(judged, graph, rules)
  return {
    candidates: scaled.flat().map((candidate, k) => ({
      ...candidate,
      isKept: choices.map(({ isKept }) => isKept[k]!),
    })),
    classCounts: networks[0]!.classCounts.map((_, c) =>
      networks.reduce((sum, { classCounts }) => sum + classCounts[c]!, 0),
    ),
    headInputs: networks.reduce((sum, { headInputs }) => sum + headInputs, 0),
    choices,
  }
}

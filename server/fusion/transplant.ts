import type { Level } from '../../shared/model/levels.ts'
import { chooseNeurons, type ChoiceRules } from './choose-neurons.ts'
import { gatherNeurons } from './gather-neurons.ts'
import type { Network } from './network.ts'
import { neuronAxesOf } from './neuron-axes.ts'
import { assertParentsAgree } from './parents-agree.ts'
import { type HeadRule, headWeights, scaleHead } from './scale-head.ts'

export interface TransplantRules extends ChoiceRules {
  readonly head: HeadRule
}

/**
 * Merges networks into one by transplanting their most important neurons: what NT (arXiv 2502.06849)
 * gets by concatenating the networks, scaling their heads and pruning whole neurons. A neuron keeps its
 * weights to the neurons of its own network; those to neurons of another are zero. The concatenation
 * itself, whose hidden kernels grow with the square of the networks, is never built.
 *
 * @param networks at least one, in the order in which their neurons stand side by side; unchanged
 * @returns a network that shares no tensor with `networks`
 * @throws GraftError GRAFT_SHAPE_MISMATCH when two networks differ in more than hidden widths
 */
export function transplant(
  networks: readonly Network[],
  levels: readonly Level[],
  rules: TransplantRules,
): Network {
  assertMergeable(networks, levels)
  const head = levels.find(({ isHead }) => isHead)!
  const weights = headWeights(networks, rules.head)
  const scaled = networks.map((network, k) => scaleHead(network, head, weights[k]!))
  // prune-merge judges every network as it is; only merge-prune sees the heads as they will be.
  const judged = rules.variant === 'prune-merge' ? networks : scaled
  const choices = chooseNeurons(judged, levels, rules)
  const kept = choices.map((choice) => choice.kept)
  return {
    id: networks.map(({ id }) => id).join('+'),
    weights: gatherNeurons(scaled, levels, kept),
    widths: levels.map(({ index, isHead, width }) =>
      isHead ? width : kept[index]!.reduce((sum, { length }) => sum + length, 0),
    ),
    classCounts: networks[0]!.classCounts.map((_, c) =>
      networks.reduce((sum, { classCounts }) => sum + classCounts[c]!, 0),
    ),
    headInputs: networks.reduce((sum, { headInputs }) => sum + headInputs, 0),
    scores: networks.every(({ scores }) => scores.length > 0) ? keptScores(networks, kept) : [],
    origins: networks[0]!.origins.map((_, level) =>
      networks.flatMap(({ origins }, k) =>
        // The head has none: its classes are nobody's.
        origins[level]!.length === 0
          ? []
          : Array.from(kept[level]![k]!, (j) => origins[level]![j]!),
      ),
    ),
  }
}

/** [level][neuron]; the last entries, those of the classes, are of no use and stay side by side. */
function keptScores(
  networks: readonly Network[],
  kept: readonly (readonly Int32Array[])[],
): Float32Array[] {
  return kept.map((ofLevel, level) =>
    Float32Array.from(
      networks.flatMap(({ scores }, k) =>
        Array.from(ofLevel[k]!, (neuron) => scores[level]?.[neuron] ?? 0),
      ),
    ),
  )
}

function assertMergeable([first, ...others]: readonly Network[], levels: readonly Level[]): void {
  const axes = neuronAxesOf(levels)
  const isHidden = (weight: string, axis: number): boolean =>
    axes.get(weight)!.some((of) => of.axis === axis && !of.level.isHead)
  for (const other of others) {
    assertParentsAgree(shapesOf(first!), shapesOf(other), isHidden)
  }
}

const shapesOf = ({ id, weights }: Network) => ({ id, weights: [...weights.values()] })

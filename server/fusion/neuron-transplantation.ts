import { GraftError } from '../../shared/errors.ts'
import { headGroup, type NeuronGraph, widthsOf } from '../../shared/model/neuron-graph.ts'
import type { Weights } from '../../shared/model/weights.ts'
import { type Contribution, ledgerOf } from './ledger.ts'
import { countKept } from './choose-neurons.ts'
import { gatherNeurons } from './gather-neurons.ts'
import { measureWidths } from './measure-widths.ts'
import { inIdOrder } from './parents.ts'
import { reduceTree } from './reduce-tree.ts'
import { assertNoneFixed, assertPlainHead, headInputs } from './scale-head.ts'
import { chooseOptions } from './strategy-options.ts'
import type { Fusion, FusionInput, Parent, Strategy } from './strategy.ts'
import { merge, type Merge, type Selection } from './transplant.ts'
import { createGrids, type Grids } from './weight-grid.ts'

const OPTIONS = {
  /** Prune all neurons of the merged networks together, or each network alone before merging. */
  variant: ['merge-prune', 'prune-merge'],
  /** Which parents are merged first; `reduceTree` says what each means. */
  tree: ['hierarchical', 'joint', 'iterative'],
  /** What makes a neuron important: its weights' sum of squares or magnitudes, or its attribution. */
  importance: ['l2', 'l1', 'attribution'],
  /** Score all levels before pruning any, or a level after the level behind it was pruned. */
  order: ['upfront', 'sequential'],
  /** Logits of a class weighed by the parents' shares of its examples, or all alike. */
  head: ['shares', 'mean'],
} as const

/**
 * Neuron Transplantation: the largest neurons of all parents, side by side in one network of the
 * original width. Model Fusion via Neuron Transplantation, arXiv 2502.06849, and the code it names.
 *
 * Exactly as many neurons are kept as the fused network has. The reference keeps one fewer for 3, 5, 6,
 * 7, 10, ... parents, where `1 - (1 - 1/k)` falls short of 1/k in floating point.
 */
export const neuronTransplantation: Strategy = {
  name: 'nt',
  holds: 'networks',
  summary: 'the largest neurons of all parents, side by side',
  paper: 'arXiv 2502.06849',
  options: OPTIONS,
  check,
  fuse,
}

function check(graph: NeuronGraph): void {
  assertPlainHead(graph)
  assertNoneFixed(graph, 'nt')
}

async function fuse(input: FusionInput): Promise<Fusion> {
  const { graph } = input
  const merged = await chooseParents(input)
  assertFilled(merged, graph)
  const { candidates } = merged
  const origins = graph.groups.map(({ index }) => originsOf(merged, index))
  return {
    weights: await gatherNeurons(candidates, graph),
    ledger: ledgerOf(
      graph,
      candidates.map(({ id }) => id),
      (group, neuron) => [origins[group]![neuron]!],
    ),
  }
}

/** Where each neuron of a group comes from, [neuron of the fused network]. */
function originsOf({ candidates, choices }: Merge, group: number): Contribution[] {
  const origins: Contribution[] = []
  const { importance, mean } = choices[group]!
  for (let parent = 0; parent < candidates.length; parent++) {
    const isKept = candidates[parent]!.isKept[group]!
    const scores = importance[parent]!
    for (let neuron = 0; neuron < isKept.length; neuron++) {
      if (isKept[neuron] === 0) continue
      origins.push({
        parent,
        neuron,
        share: 1,
        score: mean > 0 ? scores[neuron]! / mean : scores[neuron]!,
      })
    }
  }
  return origins
}

/**
 * The choice of `nt`, before any weight is gathered: a tree of merges over which neurons are kept, for
 * which a parent's weights are in memory one at a time.
 *
 * @param onMerge called after each merge of the tree, in their order
 * @throws GraftError GRAFT_SHAPE_MISMATCH when a parent doesn't fit the graph; GRAFT_STRATEGY_UNKNOWN when
 *   an option is wrong, or attribution scores are missing; GRAFT_STRATEGY_UNSUITABLE when neurons must stay where they are
 */
export async function chooseParents(
  { parents, graph, options }: FusionInput,
  onMerge?: (merged: Merge) => void,
): Promise<Merge> {
  const { tree, ...rules } = chooseOptions('nt', OPTIONS, options)
  check(graph)
  const grids = createGrids(graph)
  const leaves = inIdOrder(parents).map((parent) => () => leafOf(parent, graph, grids))
  const widths = widthsOf(graph)
  let last: Merge | undefined
  await reduceTree(leaves, tree, async (networks: readonly Selection[]): Promise<Selection> => {
    last = await merge(networks, graph, { ...rules, widths })
    onMerge?.(last)
    return last
  })
  return last!
}

/** A parent as a network of the tree, all of its neurons kept; its weights are looked at and let go. */
export async function leafOf(parent: Parent, graph: NeuronGraph, grids: Grids): Promise<Selection> {
  const { id, classCounts, scores } = parent
  const widths = measureWidths(await parent.load(), graph, id)
  const head = headGroup(graph)
  if (classCounts.length !== head.width) {
    throw new GraftError(
      'GRAFT_SHAPE_MISMATCH',
      `Parent ${id} counts ${classCounts.length} classes, the fused network has ${head.width}.`,
    )
  }
  const load = async () => byName(await parent.load())
  return {
    candidates: [
      {
        id,
        scores,
        load,
        grids: grids(widths),
        isKept: widths.map((width) => new Uint8Array(width).fill(1)),
        headScale: new Float64Array(head.width).fill(1),
        inputSums: new Map(),
      },
    ],
    classCounts,
    headInputs: headInputs(graph, widths),
  }
}

const byName = (weights: Weights) => new Map(weights.map((tensor) => [tensor.name, tensor]))

function assertFilled({ candidates }: Merge, { groups }: NeuronGraph): void {
  for (const { index, name, width } of groups) {
    const count = candidates.reduce((sum, { isKept }) => sum + countKept(isKept[index]!), 0)
    if (groups[index]!.isFixed || count === width) continue
    throw new GraftError(
      'GRAFT_SHAPE_MISMATCH',
      `The parents have ${count} neurons in ${name} together, the fused network ${width}.`,
    )
  }
}

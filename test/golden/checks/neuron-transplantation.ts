import type { Candidate } from '../../../server/fusion/choose-neurons.ts'
import { gatherNeurons } from '../../../server/fusion/gather-neurons.ts'
import { leafOf, neuronTransplantation } from '../../../server/fusion/neuron-transplantation.ts'
import { reduceTree, type TreeShape } from '../../../server/fusion/reduce-tree.ts'
import { headInputs } from '../../../server/fusion/scale-head.ts'
import { type Merge, merge, type Selection } from '../../../server/fusion/transplant.ts'
import { createGrids } from '../../../server/fusion/weight-grid.ts'
import type { NeuronGraph } from '../../../shared/model/neuron-graph.ts'
import type { Weights } from '../../../shared/model/weights.ts'
import { createRng } from '../../../shared/numeric/rng.ts'
import { compare, compareFloats, compareWeights, type Comparison, toleranceOf } from '../compare.ts'
import { type Fixture, graphOf, integers, logitsOf, tensorOf, type Widths } from '../fixture.ts'
import { parentsOf } from '../parents-of.ts'

/** One way in which the reference fused the parents. */
interface Variant {
  /** Of the tensors that hold what it gave. */
  readonly prefix: string
  readonly order: 'upfront' | 'sequential'
  /** Neurons that k networks of `width` neurons together are pruned to. */
  readonly keep: (width: number, k: number) => number
}

/** `b_*`: concatenation, choice, weights and logits of Neuron Transplantation, in every variant recorded. */
export async function checkNeuronTransplantation(fixture: Fixture): Promise<Comparison[]> {
  const comparisons = [...(await checkConcatenation(fixture)), ...(await checkPruneMerge(fixture))]
  for (const variant of variantsOf(fixture)) {
    comparisons.push(...(await checkVariant(fixture, variant)))
  }
  return comparisons
}

async function checkConcatenation(fixture: Fixture): Promise<Comparison[]> {
  if (!hasTensors(fixture, 'expected.concat.')) return []
  const whole = hiddenGroups(graphOf(fixture)).map(({ name, width }) => [
    name,
    width * fixture.json.k!,
  ])
  const widths = Object.fromEntries(whole) as Widths
  const weights = await fuse(fixture, widths, { tree: 'joint' })
  const logits = await logitsOf(fixture, weights, widths)
  return [
    ...compareWeights(
      fixture,
      'expected.concat.',
      { weights, widths },
      toleranceOf(fixture, 'weights'),
    ),
    ...['expected.concat_logits', 'mean_parent_logits'].map((tensor) =>
      compareFloats(fixture, tensor, logits, toleranceOf(fixture, 'logits')),
    ),
  ]
}

async function checkPruneMerge(fixture: Fixture): Promise<Comparison[]> {
  const prefix = 'expected.prune_then_merge.'
  if (!hasTensors(fixture, prefix)) return []
  const counts = hiddenGroups(graphOf(fixture)).map(({ name }) => [
    name,
    tensorOf(fixture, `${prefix}${name}.weight`).shape[0],
  ])
  const widths = Object.fromEntries(counts) as Widths
  const weights = await fuse(fixture, widths, { variant: 'prune-merge', tree: 'joint' })
  return compareWeights(fixture, prefix, { weights, widths }, toleranceOf(fixture, 'weights'))
}

async function checkVariant(fixture: Fixture, variant: Variant): Promise<Comparison[]> {
  const { prefix, order } = variant
  const { tree, graph, merges, before } = await mergeAsReference(fixture, variant)
  const last = merges.at(-1)!
  const kept = (group: number) => keptIn(last.candidates, group)
  const comparisons = hiddenGroups(graph).flatMap(({ index, name }) => [
    ...merges.flatMap((of, step) => {
      const tensor = tree === 'joint' ? `importance.${name}` : `step${step}.importance.${name}`
      const importance = of.candidates.flatMap(({ id }, k) => {
        const { importance, mean } = of.choices[index]!
        return [...importance[k]!]
          .filter((_, neuron) => before[step]!.get(id)![index]![neuron] === 1)
          .map((value) => value / mean)
      })
      return compareFloats(
        fixture,
        `${prefix}.${tensor}`,
        importance,
        toleranceOf(fixture, 'importance'),
      )
    }),
    ...(['kept_model', 'kept_neuron'] as const).map((tensor) =>
      compare(
        `${prefix}.${tensor}.${name}`,
        kept(index).map((origin) => origin[tensor]),
        integers(fixture, `${prefix}.${tensor}.${name}`),
        { kind: 'exact', value: 0 },
      ),
    ),
  ])

  const counts = hiddenGroups(graph).map(({ index, name }) => [name, kept(index).length])
  const widths = Object.fromEntries(counts) as Widths
  // Where the reference gave the same weights in both orders, they are recorded once.
  const recorded = hasTensors(fixture, `${prefix}.fused.`)
    ? prefix
    : prefix.replace('sequential', 'upfront')
  const networks: Weights[] = [await gatherNeurons(last.candidates, graph)]
  // In a tree of unequal halves the reference weighs late parents more; `nt` weighs all alike.
  const isEven = tree === 'joint' || Number.isInteger(Math.log2(fixture.json.k!))
  if (isEven) networks.push(await fuse(fixture, widths, { order, tree }))
  for (const weights of networks) {
    const network = { weights, widths }
    const tolerance = toleranceOf(fixture, 'weights')
    comparisons.push(...compareWeights(fixture, `${recorded}.fused.`, network, tolerance))
    if (!hasTensors(fixture, `${recorded}.fused_logits`)) continue
    const logits = await logitsOf(fixture, weights, widths)
    const allowed = toleranceOf(fixture, 'logits')
    comparisons.push(compareFloats(fixture, `${recorded}.fused_logits`, logits, allowed))
  }
  return comparisons
}

/** The tree of merges with the reference's counts, and what was kept of each parent before each merge. */
async function mergeAsReference(fixture: Fixture, { prefix, order, keep }: Variant) {
  const tree: TreeShape = hasTensors(fixture, `${prefix}.step0.`) ? 'hierarchical' : 'joint'
  const graph = graphOf(fixture)
  const grids = createGrids(graph)
  const merges: Merge[] = []
  const before: ReadonlyMap<string, readonly Uint8Array[]>[] = []
  const leaves = parentsOf(fixture, graph).map((parent) => () => leafOf(parent, graph, grids))
  await reduceTree(leaves, tree, async (networks: readonly Selection[]): Promise<Selection> => {
    const candidates = networks.flatMap((network) => network.candidates)
    const widths = graph.groups.map(({ index, isFixed, width }) =>
      isFixed ? width : keep(keptIn(candidates, index).length, networks.length),
    )
    const rules = { variant: 'merge-prune', importance: 'l2', head: 'mean', order, widths } as const
    const merged = await merge(networks, graph, rules)
    before.push(new Map(candidates.map(({ id, isKept }) => [id, isKept])))
    merges.push(merged)
    // The reference weighs a merged network by its own inputs, not by those of the parents in it.
    return { ...merged, headInputs: headInputs(graph, widths) }
  })
  return { tree, graph, merges, before }
}

/** The variants that a fixture has tensors of. */
function variantsOf({ tensors }: Fixture): Variant[] {
  const prefixes = [...tensors.keys()].flatMap(
    (name) =>
      /^expected\.(?:upfront|sequential)(?:\.(?:as_coded|exact_width))?(?=\.)/.exec(name)?.[0] ??
      [],
  )
  return [...new Set(prefixes)]
    .filter((prefix) =>
      [...tensors.keys()].some((name) => name.startsWith(`${prefix}.kept_model.`)),
    )
    .map((prefix) => {
      const isExact = prefix.endsWith('exact_width')
      const ratio = (k: number) => 1 - 1 / k - (isExact ? 1e-9 : 0)
      return {
        prefix,
        order: prefix.includes('sequential') ? 'sequential' : 'upfront',
        // Of 3, 5, 6, 7, 10, ... networks one neuron fewer than 1/k, as floating point has it.
        keep: (width, k) => Math.trunc(width * (1 - ratio(k))),
      }
    })
}

async function fuse(
  fixture: Fixture,
  widths: Widths,
  options: Readonly<Record<string, string>>,
): Promise<Weights> {
  const graph = graphOf(fixture, widths)
  const { weights } = await neuronTransplantation.fuse({
    parents: parentsOf(fixture, graph),
    graph,
    options: { head: 'mean', ...options },
    rng: createRng('golden'),
  })
  return weights
}

/** Parent and neuron of each neuron kept of a group, in the order in which they stand side by side. */
function keptIn(candidates: readonly Candidate[], group: number) {
  return candidates.flatMap(({ id, isKept }) =>
    [...isKept[group]!.keys()]
      .filter((neuron) => isKept[group]![neuron] === 1)
      .map((neuron) => ({ kept_model: Number(id), kept_neuron: neuron })),
  )
}

const hiddenGroups = ({ groups }: NeuronGraph) => groups.filter(({ isHead }) => !isHead)

const hasTensors = ({ tensors }: Fixture, prefix: string): boolean =>
  [...tensors.keys()].some((name) => name.startsWith(prefix))

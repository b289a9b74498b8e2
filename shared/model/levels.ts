import { type AxisLayout, groupsIn, type NeuronAxis } from './neurons.ts'
import { lastReaders, NETWORK_INPUT, type OpGraph } from './op-graph.ts'

/** Consecutive layers fused as one unit: what lies between two tensors that every path crosses. */
export interface Level {
  /** 0-based, input side first. */
  readonly index: number
  /** The layer that makes its output; of two levels in one layer, `sep` and `sep.2`. */
  readonly name: string
  /** First node of the level; the last is `post`, or what follows it without making neurons. */
  readonly from: number
  /** Node whose output are its neurons' pre-activations, behind bias and batch normalisation. */
  readonly pre: number
  /** Node of the activation behind them; `pre` where there is none. */
  readonly post: number
  /** Groups along the last axis of its output; of a residual stream the same at several levels. */
  readonly groups: readonly number[]
}

/** Kinds of op that go on with the neurons of the op before them, one for one. */
const FOLLOWERS: ReadonlySet<string> = new Set(['bias', 'batch-norm', 'reshape'])
const ACTIVATIONS: ReadonlySet<string> = new Set(['relu', 'activation'])

/**
 * Cuts a network into levels at the tensors that every path from input to logits crosses. Each level
 * makes neurons at least once: a layer in a chain, a block where paths part and meet again.
 *
 * @param layouts neurons along the last axis of each node's output
 * @param axes neuron axes of each weight
 */
export function cutLevels(
  { nodes }: OpGraph,
  layouts: readonly AxisLayout[],
  axes: ReadonlyMap<string, readonly NeuronAxis[]>,
): Level[] {
  const isCut = crossings({ nodes }).map((edges) => edges === 0)
  const isMaker = nodes.map(({ op }) =>
    op.weights.some(({ name }) =>
      axes.get(name)?.some(({ role }) => role === 'kernel' || role === 'embedding'),
    ),
  )
  const levels: Level[] = []
  let from = 0
  for (let maker = isMaker.indexOf(true); maker !== -1; maker = isMaker.indexOf(true, from)) {
    const goesOn = (node: number, kinds: ReadonlySet<string>) =>
      isCut[node] === true && kinds.has(nodes[node]!.op.kind)
    let pre = isCut.indexOf(true, maker)
    while (goesOn(pre + 1, FOLLOWERS)) pre++
    const post = goesOn(pre + 1, ACTIVATIONS) ? pre + 1 : pre
    const lastMaker = isMaker.lastIndexOf(true, pre)
    levels.push({
      index: levels.length,
      name: nodes[lastMaker]!.op.layer,
      from,
      pre,
      post,
      groups: groupsIn(layouts[pre]!),
    })
    from = post + 1
  }
  const names = uniqueNames(levels.map(({ name }) => name))
  return levels.map((level, i) => ({ ...level, name: names[i]! }))
}

/** For each node how many edges jump over it: none does over a tensor that every path crosses. */
function crossings({ nodes }: OpGraph): number[] {
  const lastReader = lastReaders(nodes)
  const lastInputReader = nodes.findLastIndex(({ inputs }) => inputs.includes(NETWORK_INPUT))
  return nodes.map((_, node) => {
    const before = lastReader.slice(0, node).filter((reader) => reader > node).length
    return before + (lastInputReader > node ? 1 : 0)
  })
}

/** What several things of one layer are called: `sep`, `sep.2`, ... */
export function uniqueNames(layers: readonly string[]): string[] {
  const taken = new Set<string>()
  return layers.map((layer) => {
    let name = layer
    for (let count = 2; taken.has(name); count++) name = `${layer}.${count}`
    taken.add(name)
    return name
  })
}

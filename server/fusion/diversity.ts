import * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import type { Weights } from '../../shared/model/weights.ts'
import { assign } from '../../shared/numeric/assignment.ts'
import { type Likeness, likenessOf, linearCka } from '../../shared/numeric/linear-cka.ts'
import { alignParents } from './align-parents.ts'
import { byWeights } from './compare-neurons.ts'
import { measureWidths } from './measure-widths.ts'
import { closeNetworks, type OpenNetwork, openNetworks } from './open-networks.ts'
import { inIdOrder } from './parents.ts'
import { inputTensor, proxyExamples } from './proxy-inputs.ts'
import type { FusionInput, Parent } from './strategy.ts'

/** How far the parents of a fusion are from each other. */
export interface Diversity {
  /** Ids of those that were looked at, in order: of a large cohort only some. */
  readonly parents: readonly string[]
  /** Names of the levels, input side first. */
  readonly levels: readonly string[]
  /** Every two of the parents, by their order: (0, 1), (0, 2), ..., (1, 2), ... */
  readonly pairs: readonly PairDiversity[]
}

/** Two parents beside each other. */
export interface PairDiversity {
  readonly parents: readonly [string, string]
  /**
   * |a - b| / sqrt(|a|^2 + |b|^2) of all kernels, the neurons of b permuted to those of a: 0 for a network and
   * its copy, about 1 for two that have nothing in common. Null for networks of different widths, and for numbers too large.
   */
  readonly weightDistance: number | null
  /** Share of the proxy examples that they take for different classes; null without any. */
  readonly disagreement: number | null
  /** Linear CKA at each level, from 0 to 1, which is alike; null where one tells no examples apart. */
  readonly cka: readonly (number | null)[]
}

/** Examples of the proxy set that are looked at. */
const COUNT = 400
/** Most parents: the pairs grow with their square. */
export const MOST_COMPARED = 8

/**
 * Measures how diverse parents are: weight distance after alignment by weights (Git Re-Basin, Ainsworth et
 * al. 2022, arXiv 2209.04836, section 3.2, in one pass), disagreement of their predictions, and linear CKA
 * at every level. Without a proxy set only the first. One parent's activations are in memory at a time.
 *
 * @param input more than 8 parents are represented by 8 of them, drawn by the seed
 */
export async function measureDiversity(
  input: Pick<FusionInput, 'parents' | 'graph' | 'proxy' | 'rng' | 'onProgress' | 'signal'>,
): Promise<Diversity> {
  const { graph, signal, onProgress } = input
  const rng = input.rng.split('diversity')
  const drawn = rng.split('parents').shuffle(inIdOrder(input.parents)).slice(0, MOST_COMPARED)
  const parents = inIdOrder(drawn)
  const hasProxy = (input.proxy?.train.labels.length ?? 0) > 0
  const examples = hasProxy
    ? proxyExamples(input, { strategy: 'diversity', count: COUNT, rng: rng.split('examples') })
    : null
  const views: View[] = []
  for (const parent of parents) {
    signal?.throwIfAborted()
    onProgress?.(`looking at ${parent.id}`)
    views.push(examples === null ? NOTHING_SEEN : await viewOf(parent, graph, examples))
  }
  const pairs: PairDiversity[] = []
  for (const [i, a] of parents.entries()) {
    for (const [j, b] of parents.entries()) {
      if (j <= i) continue
      signal?.throwIfAborted()
      onProgress?.(`comparing ${a.id} and ${b.id}`)
      pairs.push({
        parents: [a.id, b.id],
        weightDistance: await weightDistance(a, b, graph),
        disagreement: disagreement(views[i]!, views[j]!),
        cka: views[i]!.levels.map((likeness, level) =>
          linearCka(likeness, views[j]!.levels[level]!),
        ),
      })
    }
  }
  const levels = graph.levels.map(({ name }) => name)
  return { parents: parents.map(({ id }) => id), levels, pairs }
}

/** Mean over the pairs of what was measured; null where nothing was. */
export function meanOf(
  { pairs }: Pick<Diversity, 'pairs'>,
  measure: (pair: PairDiversity) => number | null,
): number | null {
  const known = pairs.map(measure).filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length
}

/** What a parent makes of the examples. */
interface View {
  /** Class with the largest logit, [example]. */
  readonly classes: Int32Array
  /** [level]. */
  readonly levels: readonly (Likeness | null)[]
}

const NOTHING_SEEN: View = { classes: new Int32Array(0), levels: [] }

async function viewOf(parent: Parent, graph: NeuronGraph, examples: ExampleSet): Promise<View> {
  const x = inputTensor(examples)
  const networks: OpenNetwork[] = []
  try {
    networks.push(...(await openNetworks([parent], graph, x)))
    const { walk } = networks[0]!
    const levels: (Likeness | null)[] = []
    for (const { post } of graph.levels) {
      const [output] = await walk.look([post])
      try {
        levels.push(await likenessOf(output!))
      } finally {
        output!.dispose()
      }
      await walk.pass(post)
    }
    const classes = tf.tidy(() => tf.argMax(walk.input(), 1))
    try {
      return { classes: Int32Array.from(await classes.data()), levels }
    } finally {
      classes.dispose()
    }
  } finally {
    closeNetworks(networks)
    x.dispose()
  }
}

function disagreement({ classes: a }: View, { classes: b }: View): number | null {
  if (a.length === 0) return null
  return a.filter((label, example) => label !== b[example]).length / a.length
}

/** Null where the networks cannot be laid onto each other, neuron on neuron. */
async function weightDistance(a: Parent, b: Parent, graph: NeuronGraph): Promise<number | null> {
  const weights = await a.load()
  const widths = [weights, await b.load()].map((of, i) =>
    String(measureWidths(of, graph, [a, b][i]!.id)),
  )
  if (widths[0] !== widths[1]) return null
  const [aligned] = await alignParents(a, [b], {
    graph,
    compare: byWeights,
    align({ sizes: [from, to], distances }) {
      // Squares of huge weights are infinite; such a neuron goes where there is room.
      const costs = distances.map((distance) => Math.min(distance, LARGEST_COST))
      const target = assign(costs, { rows: from, columns: to })
      const moves = Array.from(target, (column, row) => ({ from: row, to: column, value: 1 }))
      return { outputs: moves, readers: moves }
    },
  })
  return relativeDistance(weights, aligned!.weights, graph)
}

const LARGEST_COST = 1e30

/** Null where there are no numbers to compare. */
function relativeDistance(a: Weights, b: Weights, graph: NeuronGraph): number | null {
  const byName = new Map(b.map(({ name, data }) => [name, data]))
  let [difference, size] = [0, 0]
  for (const { name, data } of a) {
    const isKernel = graph.axes.get(name)?.some(({ role }) => MAKERS.has(role)) === true
    if (!isKernel) continue
    const other = byName.get(name)!
    for (let i = 0; i < data.length; i++) {
      difference += (data[i]! - other[i]!) ** 2
      size += data[i]! ** 2 + other[i]! ** 2
    }
  }
  const distance = size > 0 ? Math.sqrt(difference / size) : 0
  return Number.isFinite(distance) ? distance : null
}

/** Biases and the statistics of normalisation are few, and small or large for reasons of their own. */
const MAKERS: ReadonlySet<string> = new Set(['kernel', 'embedding'])

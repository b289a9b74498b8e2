import * as tf from '@tensorflow/tfjs'
import { headGroup, type NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { type Weights, sizeOf } from '../../shared/model/weights.ts'
import { carriedWeights, type GroupedColumns } from './carried-weights.ts'
import {
  type Columns,
  columnsOf,
  contributionsOf,
  type Grouping,
  headGrouping,
} from './grouping.ts'
import { HEAD_OPTION, headShares } from './head-shares.ts'
import { ledgerOf } from './ledger.ts'
import type { LevelWalk } from './level-walk.ts'
import { fitFromNothing, fitFromParents, type LinearFit } from './linear-fit.ts'
import { hasOffset, type LinearLevel, linearLevel, writeLevel } from './linear-level.ts'
import { closeNetworks, type OpenNetwork, openNetworks } from './open-networks.ts'
import { parentScores, SCORES_OPTION } from './parent-scores.ts'
import { inIdOrder } from './parents.ts'
import { inputTensor, proxyExamples } from './proxy-inputs.ts'
import type { Chosen } from './strategy-options.ts'
import type { Fusion, FusionInput } from './strategy.ts'
import type { LinearSystem } from './unfolded-rows.ts'

/** All parents' neurons of one level, and how the fused network could make them. */
export interface LevelFit extends Columns {
  /** Of the level. */
  readonly name: string
  readonly fit: LinearFit
  /** The grouping of the head, whose neurons are the classes; of other levels undefined. */
  readonly given: Grouping | undefined
}

/** What `hf-linear` and `kf-linear` can be told; NI has `prior=none` and `head=scores`. */
export const LINEAR_OPTIONS = {
  scores: SCORES_OPTION,
  head: HEAD_OPTION,
  /** Where least squares starts: at the parents' own weights, or at nothing, as NI has it. */
  prior: ['parents', 'none'],
  /** How strongly weights are held to the parents', relative to the mean square that a weight reads. */
  ridge: ['1e-2', '1e-3', '1e-1'],
} as const

export interface LinearRules extends Chosen<typeof LINEAR_OPTIONS> {
  readonly strategy: string
  /** Divides the scores of a level by their sum over each parent's neurons, as the reference does for uniform ones. */
  readonly normalise: boolean
}

/** Most examples of the proxy set that are looked at; the paper takes 400. */
const COUNT = 2000

/**
 * Linear fusion (NI, arXiv 2507.00037): level by level, input side first, the least squares weights that
 * make the parents' neurons of what the fused network so far gives; one fused neuron of each group of them.
 * The head's neurons are the classes, which need no grouping.
 *
 * @param group which columns become one neuron; of the head, those given
 */
export async function fuseLinearly(
  input: FusionInput,
  rules: LinearRules,
  group: (fit: LevelFit) => Promise<Grouping>,
): Promise<Fusion> {
  const { graph, rng, signal, onProgress } = input
  const parents = inIdOrder(input.parents)
  const levels = graph.levels.map((level) => linearLevel(graph, level, rules.strategy))
  const drawn = { strategy: rules.strategy, count: COUNT, rng: rng.split('examples') }
  const examples = proxyExamples(input, drawn)
  const scores = await parentScores(rules.scores, parents, graph, examples)
  const head = headGroup(graph).index
  const ofHead = scores.map((ofParent) => ofParent[head]!)
  const shares = headShares(parents, rules.head, ofHead)
  const x = inputTensor(examples)
  const start = { load: async () => emptyWeights(graph) }
  const networks = await openNetworks([...parents, start], graph, x)
  const [fused, sources] = [networks.at(-1)!, networks.slice(0, -1)]
  const made = new Map<number, GroupedColumns & Columns>()
  try {
    for (const [at, linear] of levels.entries()) {
      signal?.throwIfAborted()
      const { level } = linear
      onProgress?.(`level ${at + 1} of ${levels.length}, ${level.name}`)
      const index = level.groups[0]!
      const { width } = graph.groups[index]!
      const columns = { ...columnsOf(scores.map((ofParent) => ofParent[index]!)), width }
      const activations = await sideBySide(sources, level.pre)
      const read = await readBy(graph, fused.walk, linear.node)
      try {
        const system = systemOf(graph, linear, read)
        const fit =
          rules.prior === 'none'
            ? await fitFromNothing(system, activations)
            : fitFromParents(system, activations, {
                prior: await carriedWeights(parents, graph, linear, made),
                ridge: Number(rules.ridge),
              })
        const weighed = rules.normalise ? normalised(columns) : columns
        const given = index === head ? headGrouping(columns, shares) : undefined
        const grouping = await group({ ...weighed, name: level.name, fit, given })
        made.set(index, { ...columns, grouping })
        const values = await fit.solve(grouping)
        await writeLevel(linear, fused.weights, { ...system, values })
      } finally {
        tf.dispose([activations, read])
      }
      for (const { walk } of networks) await walk.pass(level.post)
    }
    const contributions = new Map(
      [...made].map(([of, columns]) => [of, contributionsOf(columns, columns.grouping)]),
    )
    return {
      weights: await fused.weights.read(),
      ledger: ledgerOf(
        graph,
        parents.map(({ id }) => id),
        (of, neuron) => contributions.get(of)?.[neuron] ?? [],
      ),
    }
  } finally {
    closeNetworks(networks)
    x.dispose()
  }
}

const emptyWeights = ({ weights }: NeuronGraph): Weights =>
  weights.map(({ name, shape }) => ({ name, shape, data: new Float32Array(sizeOf(shape)) }))

/** What the networks give at a node, a row for each example and place, [row, column]. */
async function sideBySide(networks: readonly OpenNetwork[], node: number): Promise<tf.Tensor2D> {
  const outputs: tf.Tensor[] = []
  for (const { walk } of networks) outputs.push((await walk.look([node]))[0]!)
  try {
    return tf.tidy(() =>
      tf.concat(
        outputs.map((output) => tf.reshape<tf.Rank.R2>(output, [-1, output.shape.at(-1)!])),
        1,
      ),
    )
  } finally {
    tf.dispose(outputs)
  }
}

/** What a node reads in a walk that has come to its level; the caller owns it. */
async function readBy(graph: NeuronGraph, walk: LevelWalk, node: number): Promise<tf.Tensor> {
  const [input = -1] = graph.ops.nodes[node]!.inputs
  const first = graph.levels.find(({ pre }) => pre >= node)!.from
  // Whatever lies between the cut and the product: pooling, flattening, padding.
  return input < first ? walk.input().clone() : (await walk.look([input]))[0]!
}

function systemOf(graph: NeuronGraph, linear: LinearLevel, input: tf.Tensor): LinearSystem {
  return {
    op: graph.ops.nodes[linear.node]!.op,
    kernelShape: graph.weights.find(({ name }) => name === linear.kernel)!.shape,
    hasOffset: hasOffset(linear),
    input,
  }
}

/** Scores divided by the sum over the parent's own. */
function normalised({ columns, scores, width }: Columns): Columns {
  const sums = new Map<number, number>()
  columns.forEach(({ parent }, i) => sums.set(parent, (sums.get(parent) ?? 0) + scores[i]!))
  return { columns, width, scores: scores.map((score, i) => score / sums.get(columns[i]!.parent)!) }
}

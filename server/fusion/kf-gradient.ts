import * as tf from '@tensorflow/tfjs'
import type { Level } from '../../shared/model/levels.ts'
import { headGroup, type NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { sliceGraph } from '../../shared/model/op-graph.ts'
import { type Contribution, ledgerOf } from './ledger.ts'
import { HEAD_OPTION, headShares } from './head-shares.ts'
import {
  clusterColumns,
  type LevelActivations,
  levelGroup,
  sideBySide,
  targetsOf,
} from './level-targets.ts'
import { contributionsOf, type Grouping, headGrouping } from './grouping.ts'
import { closeNetworks, type OpenNetwork, openNetworks } from './open-networks.ts'
import { parentScores, SCORES_OPTION } from './parent-scores.ts'
import { inIdOrder } from './parents.ts'
import { inputTensor, proxyExamples } from './proxy-inputs.ts'
import { startNetwork } from './start-network.ts'
import { chooseOptions } from './strategy-options.ts'
import type { Fusion, FusionInput, Strategy } from './strategy.ts'
import { type Batch, type BatchLoss, trainGraph } from './train-graph.ts'

const OPTIONS = {
  scores: SCORES_OPTION,
  head: HEAD_OPTION,
  /** Step size of Adam. */
  rate: ['1e-3', '3e-4', '1e-4', '3e-3'],
  /** Most epochs a level; training ends earlier when the held-out fifth gets no better. */
  epochs: ['100', '25', '50', '200'],
} as const

/** Examples of the proxy set that are looked at; the paper takes 400. */
const COUNT = 2000
const BATCH_SIZE = 32
/** As the reference stops; it then keeps the last weights, we the best. */
const PATIENCE = 15
/** Share of the examples that decides when to stop. */
const HELD_OUT = 0.2

/**
 * K-means fusion, gradient: level by level, the fused network is trained to do what the centres of clusters
 * of all parents' neurons do on the proxy set. Any level can be trained so, a residual block or an
 * attention block too. Model Fusion via Neuron Interpolation, arXiv 2507.00037 (KF gradient).
 *
 * Neurons of a residual stream are clustered once, at its first level: the identity path carries them on.
 */
export const kfGradient: Strategy = {
  name: 'kf-gradient',
  holds: 'networks',
  summary: 'trained level by level to do what clusters of all parents’ neurons do',
  paper: 'arXiv 2507.00037, KF gradient',
  options: OPTIONS,
  check,
  fuse,
}

function check(graph: NeuronGraph): void {
  for (const level of graph.levels) levelGroup(graph, level)
}

async function fuse(input: FusionInput): Promise<Fusion> {
  const options = chooseOptions('kf-gradient', OPTIONS, input.options)
  const { graph, signal, onProgress } = input
  const rng = input.rng.split('kf-gradient')
  const parents = inIdOrder(input.parents)
  const count = { strategy: 'kf-gradient', count: COUNT, rng: rng.split('examples') }
  const examples = proxyExamples(input, count)
  const scores = await parentScores(options.scores, parents, graph, examples)
  const head = headGroup(graph).index
  const ofHead = scores.map((ofParent) => ofParent[head]!)
  const shares = headShares(parents, options.head, ofHead)
  const start = await startNetwork(input)
  const x = inputTensor(examples)
  const networks = await openNetworks([...parents, start], graph, x)
  const [fused, sources] = [networks.at(-1)!, networks.slice(0, -1)]
  /** Groupings by group, as neurons of a residual stream come up at several levels. */
  const groupings = new Map<number, Grouping>()
  const made = new Map<number, Contribution[][]>()
  try {
    for (const [at, level] of graph.levels.entries()) {
      signal?.throwIfAborted()
      onProgress?.(`level ${at + 1} of ${graph.levels.length}, ${level.name}`)
      const group = levelGroup(graph, level)
      const node = group === head ? graph.ops.nodes.length - 1 : level.post
      const all = await sideBySide(graph, { node, group, scores }, sources)
      try {
        const grouping =
          group === head
            ? headGrouping(all, shares)
            : (groupings.get(group) ??
              (await clusterColumns(all, {
                rng: rng.split(level.name),
                order: start.parent === undefined ? undefined : parents.indexOf(start.parent),
              })))
        groupings.set(group, grouping)
        made.set(group, contributionsOf(all, grouping))
        await trainLevel(input, {
          level,
          node,
          fused,
          all,
          grouping,
          options,
          isHead: group === head,
        })
      } finally {
        all.activations.dispose()
      }
      for (const { walk } of networks) await walk.pass(node)
    }
    return {
      weights: await fused.weights.read(),
      ledger: ledgerOf(
        graph,
        parents.map(({ id }) => id),
        (group, neuron) => made.get(group)?.[neuron] ?? [],
      ),
    }
  } finally {
    closeNetworks(networks)
    x.dispose()
  }
}

interface LevelTraining {
  readonly level: Level
  /** Where the level ends. */
  readonly node: number
  readonly fused: OpenNetwork
  readonly all: LevelActivations
  readonly grouping: Grouping
  readonly isHead: boolean
  readonly options: { readonly rate: string; readonly epochs: string }
}

/** Trains one level of the fused network, on what the levels before it give. */
async function trainLevel(
  { graph, rng, signal }: FusionInput,
  training: LevelTraining,
): Promise<void> {
  const { level, node, fused, all, grouping, isHead, options } = training
  const target = targetsOf(all.activations, grouping) // [row, neuron]
  const scale = isHead ? undefined : relativeScores(all, grouping)
  const input = fused.walk.input()
  const numExamples = input.shape[0]
  const rows = target.shape[0] / numExamples
  const ofLevel = rng.split(`kf-gradient/${level.name}/${level.index}`)
  const order = ofLevel.split('held-out').shuffle([...Array(numExamples).keys()])
  const numHeldOut = Math.max(1, Math.round(numExamples * HELD_OUT))
  const learnt = order.slice(numHeldOut)
  const take = (examples: readonly number[]): Batch =>
    tf.tidy(() => {
      const at = tf.tensor1d(Int32Array.from(examples), 'int32')
      const byExample = tf.reshape(target, [numExamples, rows * target.shape[1]])
      return {
        x: tf.gather(input, at),
        target: tf.reshape(tf.gather(byExample, at), [-1, target.shape[1]]),
      }
    })
  const heldOut = take(order.slice(0, numHeldOut))
  try {
    await trainGraph({
      ops: sliceGraph(graph.ops, level.from, node),
      weights: fused.weights,
      examples: learnt,
      batchSize: BATCH_SIZE,
      batch: take,
      loss: (output, wanted) => meanSquares(output, wanted, scale),
      heldOut,
      epochs: Number(options.epochs),
      patience: PATIENCE,
      learningRate: Number(options.rate),
      rng: ofLevel,
      ...(signal && { signal }),
    })
  } finally {
    tf.dispose([target, heldOut.x, heldOut.target])
    scale?.dispose()
  }
}

/** Mean of (output - target)^2, each neuron counting by `scale`, and its gradient. */
export function meanSquares(
  output: tf.Tensor,
  target: tf.Tensor,
  scale: tf.Tensor1D | undefined,
): BatchLoss {
  const difference = tf.sub(tf.reshape(output, target.shape), target)
  const weighted = scale === undefined ? difference : tf.mul(difference, scale)
  return {
    loss: tf.mean(tf.mul(difference, weighted)),
    dOutput: tf.reshape(tf.mul(weighted, 2 / target.size), output.shape),
  }
}

/** Sum of the scores in each group, relative to their mean, so that a step means the same whatever their scale. */
function relativeScores({ scores }: LevelActivations, grouping: Grouping): tf.Tensor1D {
  const sums = grouping.map((members) =>
    members.reduce((sum, { column }) => sum + scores[column]!, 0),
  )
  const mean = sums.reduce((sum, value) => sum + value, 0) / sums.length
  return tf.tensor1d(sums.map((sum) => (mean > 0 ? sum / mean : 1)))
}

import * as tf from '@tensorflow/tfjs'
import type { Level } from '../../shared/model/levels.ts'
import { headGroup, type NeuronGraph } from '../../shared/model/neuron-graph.ts'
import type { Solution } from '../../shared/numeric/least-squares.ts'
import { type EngineWeights, toEngine } from './engine-weights.ts'
import { type HeadOption, headShares } from './head-shares.ts'
import {
  type Columns,
  columnsOf,
  contributionsOf,
  type Grouping,
  headGrouping,
} from './grouping.ts'
import { type Contribution, ledgerOf } from './ledger.ts'
import { closeNetworks, type OpenNetwork, openNetworks } from './open-networks.ts'
import { createLevelWalk, type LevelWalk } from './level-walk.ts'
import { hasOffset, linearLevel, type LinearLevel, solveLevel, writeLevel } from './linear-level.ts'
import { parentScores, type ScoresOption } from './parent-scores.ts'
import { inIdOrder } from './parents.ts'
import { inputTensor, proxyExamples } from './proxy-inputs.ts'
import { alignWeights } from './align-weights.ts'
import { measureWidths } from './measure-widths.ts'
import type { Fusion, FusionInput, Parent } from './strategy.ts'

/** All parents' neurons of one level, as the fused network could make them of what it reads. */
export interface LevelFit extends Columns {
  readonly level: Level
  /** W = pinv([X, 1]) A and how far it is from A. */
  readonly solution: Solution
}

export interface LinearRules {
  readonly strategy: string
  readonly scores: ScoresOption
  readonly head: HeadOption
  /** Divides the scores of a level by their sum over each parent's neurons, as the reference does for uniform ones. */
  readonly normalise: boolean
  /** Most examples of the proxy set to look at. */
  readonly count: number
  readonly prior: string
  readonly ridge: number
}

/**
 * Linear fusion (NI, arXiv 2507.00037): level by level, input side first, the least squares weights that
 * make each parent's pre-activations of what the fused network so far gives; then one fused neuron of each
 * group of them. The head's neurons are the classes, which need no grouping.
 *
 * @param group which columns become one neuron; called for every level but the head
 */
export async function fuseLinearly(
  input: FusionInput,
  rules: LinearRules,
  group: (fit: LevelFit) => Promise<Grouping>,
): Promise<Fusion> {
  const { graph, rng, signal, onProgress } = input
  const parents = inIdOrder(input.parents)
  const levels = graph.levels.map((level) => linearLevel(graph, level, rules.strategy))
  const examples = proxyExamples(input, { ...rules, rng: rng.split('examples') })
  const scores = await parentScores(rules.scores, parents, graph, examples)
  const x = inputTensor(examples)
  const networks = await openNetworks(parents, graph, x)
  const fused = toEngine(emptyWeights(graph))
  const fusedWalk = createLevelWalk(graph, fused.source, x)
  const groupings = new Map<number, Contribution[][]>()
  const groupingOfGroup = new Map<number, { columns: Columns['columns']; grouping: Grouping }>()
  try {
    for (const [at, linear] of levels.entries()) {
      signal?.throwIfAborted()
      const { level } = linear
      onProgress?.(`level ${at + 1} of ${levels.length}, ${level.name}`)
      const index = level.groups[0]!
      const fit = await fitLevel(graph, {
        linear,
        networks,
        fusedWalk,
        scores,
        parents,
        groupings: groupingOfGroup,
        rules,
      })
      const grouping =
        index === headGroup(graph).index
          ? headGrouping(fit, headShares(parents, rules.head, ofHead(scores, index)))
          : await group({ ...fit, scores: rules.normalise ? normalised(fit) : fit.scores })
      groupings.set(index, contributionsOf(fit, grouping))
      groupingOfGroup.set(index, { columns: fit.columns, grouping })
      await writeGrouped(graph, { linear, fit, grouping }, { fused, fusedWalk })
      for (const walk of [...networks.map(({ walk }) => walk), fusedWalk])
        await walk.pass(level.post)
    }
    return {
      weights: await fused.read(),
      ledger: ledgerOf(
        graph,
        parents.map(({ id }) => id),
        (of, neuron) => groupings.get(of)?.[neuron] ?? [],
      ),
    }
  } finally {
    closeNetworks(networks)
    fusedWalk.dispose()
    fused.dispose()
    x.dispose()
  }
}

const emptyWeights = ({ weights }: NeuronGraph) =>
  weights.map(({ name, shape }) => ({
    name,
    shape,
    data: new Float32Array(shape.reduce((product, dim) => product * dim, 1)),
  }))

interface FitInput {
  readonly linear: LinearLevel
  readonly networks: readonly OpenNetwork[]
  readonly fusedWalk: LevelWalk
  readonly scores: readonly (readonly Float64Array[])[]
  readonly parents: readonly Parent[]
  readonly groupings: ReadonlyMap<number, { columns: Columns['columns']; grouping: Grouping }>
  readonly rules: LinearRules
}

async function fitLevel(
  graph: NeuronGraph,
  { linear, networks, fusedWalk, scores, parents, groupings, rules }: FitInput,
): Promise<LevelFit> {
  const { level, node } = linear
  const index = level.groups[0]!
  const preActivations: tf.Tensor[] = []
  for (const { walk } of networks) preActivations.push((await walk.look([level.pre]))[0]!)
  const targets = tf.tidy(() =>
    tf.concat(
      preActivations.map((pre) => tf.reshape(pre, [-1, pre.shape.at(-1)!])),
      1,
    ),
  ) as tf.Tensor2D // [rows, columns]
  tf.dispose(preActivations)
  const read = await readBy(graph, fusedWalk, node)
  const { op } = graph.ops.nodes[node]!
  const { shape } = graph.weights.find(({ name }) => name === linear.kernel)!
  try {
    let solved = await solveLevel({ op, hasBias: hasOffset(linear) }, read, targets, shape)
    if (rules.prior === 'parents') {
      const priorW = await priorWeights(graph, linear, { parents, groupings })
      const cols = targets.shape[1]
      const Wp = tf.tensor2d(Float32Array.from(priorW), [priorW.length / cols, cols])
      const u = tf.tidy(() => {
        const s0 = op.unfold!(read, shape)
        return hasOffset(linear) ? tf.concat([s0, tf.ones([s0.shape[0], 1])], 1) : s0
      })
      const R = tf.tidy(() => tf.sub(targets, tf.matMul(u, Wp))) as tf.Tensor2D
      let corr: Float64Array
      if (rules.ridge > 0) {
        // ridge by appended rows
        const n = u.shape[0]!,
          d = u.shape[1]!
        const mean = tf.tidy(() => tf.sum(tf.square(u)).div(d))
        const lam = Math.sqrt(rules.ridge * (await mean.data())[0]!)
        mean.dispose()
        const ua = tf.tidy(() => tf.concat([u, tf.mul(tf.eye(d), lam)]))
        const ra = tf.tidy(() => tf.concat([R, tf.zeros([d, cols])]))
        const { leastSquares } = await import('../../shared/numeric/least-squares.ts')
        corr = (
          await leastSquares(
            (await ua.data()) as Float32Array,
            (await ra.data()) as Float32Array,
            n + d,
          )
        ).weights as any
        tf.dispose([ua, ra])
      } else if (rules.ridge === 0)
        corr = (await solveLevel({ op, hasBias: hasOffset(linear) }, read, R, shape)).weights as any
      else corr = new Float64Array(priorW.length)
      tf.dispose([Wp, u, R])
      const old = solved
      solved = {
        weights: corr.map((v, i) => v + priorW[i]!),
        residuals: old.residuals,
        fittedGram: () => old.fittedGram(),
      }
    }
    return {
      level,
      width: graph.groups[index]!.width,
      ...columnsOf(scores.map((ofParent) => ofParent[index]!)),
      solution: solved,
    }
  } finally {
    tf.dispose([targets, read])
  }
}

/** What a node reads in a walk that has come to its level; the caller owns it. */
async function readBy(graph: NeuronGraph, walk: LevelWalk, node: number): Promise<tf.Tensor> {
  const [input = -1] = graph.ops.nodes[node]!.inputs
  const first = graph.levels.find(({ pre }) => pre >= node)!.from
  // Whatever lies between the cut and the product: pooling, flattening, padding.
  return input < first ? walk.input().clone() : (await walk.look([input]))[0]!
}

async function writeGrouped(
  graph: NeuronGraph,
  { linear, fit, grouping }: { linear: LinearLevel; fit: LevelFit; grouping: Grouping },
  { fused, fusedWalk }: { fused: EngineWeights; fusedWalk: LevelWalk },
): Promise<void> {
  const columns = fit.columns.length
  const rows = fit.solution.weights.length / columns
  const values = new Float32Array(rows * fit.width)
  for (let row = 0; row < rows; row++) {
    for (let neuron = 0; neuron < fit.width; neuron++) {
      let sum = 0
      for (const { column, share } of grouping[neuron]!) {
        sum += share * fit.solution.weights[row * columns + column]!
      }
      values[row * fit.width + neuron] = sum
    }
  }
  const { shape: kernelShape } = graph.weights.find(({ name }) => name === linear.kernel)!
  const x = await readBy(graph, fusedWalk, linear.node)
  try {
    const { op } = graph.ops.nodes[linear.node]!
    await writeLevel(linear, fused, { values, kernelShape }, { op, x })
  } finally {
    x.dispose()
  }
}

const ofHead = (scores: readonly (readonly Float64Array[])[], head: number) =>
  scores.map((ofParent) => ofParent[head]!)

/** Scores divided by the sum over the parent's own. */
function normalised({ columns, scores }: LevelFit): Float64Array {
  const sums = new Map<number, number>()
  columns.forEach(({ parent }, i) => sums.set(parent, (sums.get(parent) ?? 0) + scores[i]!))
  return scores.map((score, i) => score / sums.get(columns[i]!.parent)!)
}

async function priorWeights(
  graph: NeuronGraph,
  linear: LinearLevel,
  { parents, groupings }: { parents: readonly Parent[]; groupings: FitInput['groupings'] },
): Promise<Float64Array> {
  const outs: Float64Array[] = []
  const widths: number[] = []
  for (const [k, parent] of parents.entries()) {
    const weights = await parent.load()
    const from = measureWidths(weights, graph, parent.id)
    const own = weights.filter(({ name }) => name === linear.kernel)
    const alignments = graph.groups.map(({ index }) => {
      const g = groupings.get(index)
      if (g === undefined) return undefined
      const readers = g.grouping.flatMap((members, to) =>
        members
          .filter(({ column }) => g.columns[column]!.parent === k)
          .map(({ column }) => ({ from: g.columns[column]!.neuron, to, value: 1 })),
      )
      return { outputs: [], readers }
    })
    const to = graph.groups.map(({ width }) => width)
    const [kernel] = alignWeights(own, graph, alignments, { from, to, side: 'readers' })
    const width = kernel!.shape.at(-1)!
    const rows = kernel!.data.length / width
    const bias = weights.find(({ name }) => name === linear.bias)
    const W = new Float64Array((rows + (hasOffset(linear) ? 1 : 0)) * width)
    W.set(kernel!.data)
    if (bias) W.set(bias.data, rows * width)
    outs.push(W)
    widths.push(width)
  }
  const total = widths.reduce((a, b) => a + b, 0)
  const rows = outs[0]!.length / widths[0]!
  const all = new Float64Array(rows * total)
  let off = 0
  outs.forEach((W, k) => {
    for (let r = 0; r < rows; r++)
      for (let j = 0; j < widths[k]!; j++) all[r * total + off + j] = W[r * widths[k]! + j]!
    off += widths[k]!
  })
  return all
}

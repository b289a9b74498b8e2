import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { trainableWeights } from '../../shared/model/op-graph.ts'
import {
  countNumbers,
  openWeights,
  readBlock,
  stretchesOf,
  type WeightReader,
} from '../../shared/model/weight-reader.ts'
import { blocksOf, partOf, type WeightStream } from '../../shared/model/weight-stream.ts'
import { blockStrategy } from './block-strategy.ts'
import {
  inGraphOrder,
  ledgerByShares,
  meansOf,
  openParents,
  rounded,
  type WeighedParent,
} from './fedavg.ts'
import { inIdOrder } from './parents.ts'
import { recall } from './recall.ts'
import { NEEDS_GLOBAL_MODEL, startOf } from './server-optimizer.ts'
import { chooseOptions } from './strategy-options.ts'
import type { FusionInput, OpenFusion, Parent, RoundStart } from './strategy.ts'

const OPTIONS = {
  /** eta_g: how far the global model goes towards the mean. */
  rate: ['1', '0.5', '1.5', '2'],
} as const

/** Parts of the state: c, and c_i of each client that has taken part. */
const CONTROL = 'control'
const OWN = `${CONTROL}/`

/**
 * SCAFFOLD: clients add `c - c_i` to their gradients, the direction of all clients less their own, so that they do
 * not drift towards what suits them alone. Karimireddy et al. 2020 (arXiv 1910.06378), Algorithm 1 with option II:
 *
 *     c_i+ = c_i - c + (x - y_i) / (K_i lr),  x+ = x + rate mean_S(y_i - x),  c+ = c + 1/N sum_S(c_i+ - c_i)
 *
 * of the global model x, uploads y_i after K_i steps of plain sgd, the clients S of this round and the N of the run.
 * Means are over clients, all alike, as in the paper and unlike `fedavg`. Weights that no gradient trains are
 * averaged.
 *
 * In the paper clients keep c_i and send its change. Here the coordinator keeps it, as all that it takes to compute
 * it is there: clients remember nothing, and it survives whoever is killed. Tuning may move the global model
 * between two rounds; x is the model that clients began with. A round whose model is not published leaves c and
 * every c_i as they were.
 */
export const scaffold = blockStrategy({
  name: 'scaffold',
  summary: 'mean of clients whose gradients are corrected by how all others differ from them',
  paper: 'arXiv 1910.06378, Algorithm 1',
  options: OPTIONS,
  onlyInRounds: NEEDS_GLOBAL_MODEL,
  isStateful: true,
  onlyOptimizer: {
    name: 'plain-sgd',
    reason: 'learns the mean gradient of a client from how far it went, which takes plain sgd',
  },
  clientTraining: (_, client) => ({
    correction: { add: CONTROL, subtract: `${OWN}${client}` },
  }),
  open,
})

async function open({ parents, graph, options, start, signal }: FusionInput): Promise<OpenFusion> {
  const rate = Number(chooseOptions('scaffold', OPTIONS, options).rate)
  const begun = startOf(start, 'scaffold')
  const ordered = inIdOrder(parents)
  const weighed = ordered.map((parent) => ({ parent, share: 1 / ordered.length }))
  const x = inGraphOrder(await openWeights(begun.globalModel), graph, 'the global model')
  const round = { graph, begun, x, trained: new Set(trainableWeights(graph.ops)), signal }
  return {
    weights: streamOf(round, () => nextModel(weighed, round, rate)),
    ledger: () => ledgerByShares(weighed, graph),
    // Made when they are asked for, so that one client's is made at a time.
    state: {
      [CONTROL]: async () => stateOf(round, () => nextControl(ordered, round)),
      ...Object.fromEntries(
        ordered.map((parent) => [
          OWN + parent.id,
          async () => stateOf(round, () => nextOwnControl(parent, round)),
        ]),
      ),
    },
  }
}

interface RoundFacts {
  readonly graph: NeuronGraph
  readonly begun: RoundStart
  /** The global model, in the order of the graph. */
  readonly x: WeightReader
  /** Names of the weights that have a control. */
  readonly trained: ReadonlySet<string>
  readonly signal: AbortSignal | undefined
}

type Blocks = AsyncIterable<Float64Array>

const streamOf = ({ graph }: RoundFacts, blocks: () => Blocks): WeightStream => ({
  shapes: graph.weights,
  pieces: () => rounded(blocks(), (block) => block),
})

const stateOf = (round: RoundFacts, blocks: () => Blocks): WeightStream =>
  partOf(streamOf(round, blocks), round.trained)

/** `x+`. */
async function* nextModel(weighed: readonly WeighedParent[], round: RoundFacts, rate: number) {
  const { graph, x, trained, signal } = round
  for await (const { from, means } of meansOf(weighed, graph, signal)) {
    const before = await readBlock(x, from, means.length)
    for (const { index, at, size } of stretchesOf(graph.weights, from, means.length)) {
      if (!trained.has(graph.weights[index]!.name)) continue
      for (let i = at; i < at + size; i++) {
        means[i] = before[i]! + rate * (means[i]! - before[i]!)
      }
    }
    yield means
  }
}

/** `c_i+`, in float64 until it is stored. */
async function* nextOwnControl(parent: Parent, { graph, begun, x, signal }: RoundFacts) {
  const [y] = await openParents([parent], graph)
  const [c, own] = [
    await recall(begun.state, CONTROL, graph),
    await recall(begun.state, OWN + parent.id, graph),
  ]
  const scale = perDistance(parent, begun)
  for (const { from, length } of blocksOf(countNumbers(graph.weights))) {
    signal?.throwIfAborted()
    const [cOf, ownOf] = [await c(from, length), await own(from, length)]
    const [before, after] = [await readBlock(x, from, length), await readBlock(y!, from, length)]
    yield Float64Array.from(before, (value, i) => {
      return ownOf[i]! - cOf[i]! + scale * (value - after[i]!)
    })
  }
}

/**
 * `c+`. Of each client it takes `c_i+ - c_i = (x - y_i) / (K_i lr) - c`. With N as in {@link countClients}, c stays
 * the mean of all c_i.
 */
async function* nextControl(parents: readonly Parent[], { graph, begun, x, signal }: RoundFacts) {
  const c = await recall(begun.state, CONTROL, graph)
  const scaled = parents.map((parent) => ({ parent, share: perDistance(parent, begun) }))
  const scale = scaled.reduce((sum, { share }) => sum + share, 0)
  const clientsBefore = countClients(begun)
  const clients = countClients(begun, parents)
  // sum_S y_i / (K_i lr)
  for await (const { from, means: sums } of meansOf(scaled, graph, signal)) {
    const [cOf, before] = [await c(from, sums.length), await readBlock(x, from, sums.length)]
    for (let i = 0; i < sums.length; i++) {
      sums[i] =
        ((clientsBefore - parents.length) * cOf[i]! + scale * before[i]! - sums[i]!) / clients
    }
    yield sums
  }
}

/** What a weight's way, `x - y_i`, is multiplied by to give the mean gradient: `1 / (K_i lr)`. */
function perDistance({ numExamples }: Parent, { training }: RoundStart): number {
  return 1 / (training.countSteps(numExamples) * training.learningRate)
}

/** N: the clients that the run is for, or those that took part where clients came and went. */
function countClients({ numClients, state }: RoundStart, parents: readonly Parent[] = []): number {
  const known = new Set(Object.keys(state).filter((name) => name.startsWith(OWN)))
  for (const { id } of parents) known.add(OWN + id)
  return Math.max(numClients, known.size)
}

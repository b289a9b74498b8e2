import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { trainableWeights } from '../../shared/model/op-graph.ts'
import type { Weights } from '../../shared/model/weights.ts'
import { inGraphOrder, ledgerByShares, meanOf } from './fedavg.ts'
import { inIdOrder } from './parents.ts'
import { NEEDS_GLOBAL_MODEL, startOf } from './server-optimizer.ts'
import { chooseOptions } from './strategy-options.ts'
import type { Fusion, FusionInput, Parent, RoundStart, Strategy } from './strategy.ts'

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
export const scaffold: Strategy = {
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
  fuse,
}

async function fuse({ parents, graph, options, start }: FusionInput): Promise<Fusion> {
  const rate = Number(chooseOptions('scaffold', OPTIONS, options).rate)
  const begun = startOf(start, 'scaffold')
  const ordered = inIdOrder(parents)
  const weighed = ordered.map((parent) => ({ parent, share: 1 / ordered.length }))
  const means = await meanOf(weighed, graph)
  const before = inGraphOrder(await begun.loadGlobalModel(), graph, 'the global model')
  const trained = new Set(trainableWeights(graph.ops))
  const weights = before.map(({ name, shape, data }, w) => {
    const mean = means[w]!
    const after = trained.has(name)
      ? mean.map((value, i) => data[i]! + rate * (value - data[i]!))
      : mean
    return { name, shape, data: Float32Array.from(after) }
  })
  const round = { graph, begun, x: before.filter(({ name }) => trained.has(name)) }
  return {
    weights,
    ledger: ledgerByShares(weighed, graph),
    // Computed when they are asked for, so that one client's is in memory at a time.
    state: {
      [CONTROL]: () => nextControl(ordered, round),
      ...Object.fromEntries(
        ordered.map((parent) => [OWN + parent.id, () => nextOwnControl(parent, round)]),
      ),
    },
  }
}

interface RoundFacts {
  readonly graph: NeuronGraph
  readonly begun: RoundStart
  /** The trained weights of the global model. */
  readonly x: Weights
}

/** `c_i+`, in float64 until it is stored. */
async function nextOwnControl(parent: Parent, { graph, begun, x }: RoundFacts): Promise<Weights> {
  const [c, own] = [await recall(begun, CONTROL), await recall(begun, OWN + parent.id)]
  const y = byName(inGraphOrder(await parent.load(), graph, parent.id))
  const scale = perDistance(parent, begun)
  return x.map(({ name, shape, data }) => {
    const [cOf, ownOf, yOf] = [c?.get(name), own?.get(name), y.get(name)!]
    return {
      name,
      shape,
      data: data.map((value, i) => (ownOf?.[i] ?? 0) - (cOf?.[i] ?? 0) + scale * (value - yOf[i]!)),
    }
  })
}

/**
 * `c+`. Of each client it takes `c_i+ - c_i = (x - y_i) / (K_i lr) - c`. With N as in {@link countClients}, c stays
 * the mean of all c_i.
 */
async function nextControl(
  parents: readonly Parent[],
  { graph, begun, x }: RoundFacts,
): Promise<Weights> {
  const c = await recall(begun, CONTROL)
  const scaled = parents.map((parent) => ({ parent, share: perDistance(parent, begun) }))
  const sums = await meanOf(scaled, graph) // sum_S y_i / (K_i lr)
  const scale = scaled.reduce((sum, { share }) => sum + share, 0)
  const place = new Map(graph.weights.map(({ name }, w) => [name, w]))
  const clientsBefore = countClients(begun)
  const clients = countClients(begun, parents)
  return x.map(({ name, shape, data }) => {
    const cOf = c?.get(name)
    const sum = sums[place.get(name)!]!
    return {
      name,
      shape,
      data: data.map(
        (value, i) =>
          ((clientsBefore - parents.length) * (cOf?.[i] ?? 0) + scale * value - sum[i]!) / clients,
      ),
    }
  })
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

/** @returns undefined where it is not remembered yet, and so 0 */
async function recall(
  { state }: RoundStart,
  name: string,
): Promise<ReadonlyMap<string, Float32Array> | undefined> {
  const remembered = await state[name]?.()
  return remembered && byName(remembered)
}

function byName(weights: Weights): ReadonlyMap<string, Float32Array> {
  return new Map(weights.map(({ name, data }) => [name, data]))
}

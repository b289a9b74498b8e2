import { GraftError } from '../../shared/errors.ts'
import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { trainableWeights } from '../../shared/model/op-graph.ts'
import { type NamedTensor, sizeOf, type Weights } from '../../shared/model/weights.ts'
import { inGraphOrder, ledgerByShares, meanOf, weighByExamples } from './fedavg.ts'
import type { Fusion, FusionInput, RoundStart, StrategyState } from './strategy.ts'

/** An optimiser that the coordinator runs on the global model, a step a round. */
export interface ServerOptimizer {
  /** What it keeps of each trained weight, by name, and what that begins with. */
  readonly moments: Readonly<Record<string, number>>
  /**
   * @param delta what the round wants to add to the elements of one weight, [element]
   * @param moments in the order of their names, [moment][element]; updated in place
   * @returns what is added, [element]
   */
  step(delta: Float64Array, moments: readonly Float64Array[]): Float64Array
}

/** Why these cannot fuse finished networks; see `onlyInRounds`. */
export const NEEDS_GLOBAL_MODEL =
  'takes a step from the global model that a round began with, and finished networks have none: take fedavg'

/**
 * Takes the mean of the parents less the global model they began with, `delta = sum_k (n_k / n) w_k - w`, for
 * a gradient of the server's, and makes one step of an optimiser with it. Weights that no gradient trains, such as
 * moving statistics, are averaged. In float64; moments are kept in float32.
 *
 * @param strategy its name, for messages
 * @throws GraftError GRAFT_STRATEGY_UNKNOWN outside of a round
 */
export async function optimizeGlobalModel(
  strategy: string,
  { parents, graph, start }: FusionInput,
  optimizer: ServerOptimizer,
): Promise<Fusion> {
  const begun = startOf(start, strategy)
  const weighed = weighByExamples(parents)
  const means = await meanOf(weighed, graph)
  const before = inGraphOrder(await begun.loadGlobalModel(), graph, 'the global model')
  const trained = new Set(trainableWeights(graph.ops))
  const kept = await readMoments(begun.state, optimizer.moments, graph)
  const weights = before.map(({ name, shape, data }, w) => {
    const after = means[w]!
    if (trained.has(name)) {
      const added = optimizer.step(
        after.map((mean, i) => mean - data[i]!),
        kept.map((ofWeights) => ofWeights[w]!),
      )
      for (let i = 0; i < after.length; i++) after[i] = data[i]! + added[i]!
    }
    return { name, shape, data: Float32Array.from(after) }
  })
  const names = Object.keys(optimizer.moments)
  return {
    weights,
    ledger: ledgerByShares(weighed, graph),
    state: Object.fromEntries(
      names.map((name, m) => {
        const tensors = tensorsOf(kept[m]!, graph, trained)
        return [name, async () => tensors] as const
      }),
    ),
  }
}

/** @throws GraftError GRAFT_STRATEGY_UNKNOWN outside of a round */
export function startOf(start: RoundStart | undefined, strategy: string): RoundStart {
  if (start !== undefined) return start
  throw new GraftError('GRAFT_STRATEGY_UNKNOWN', `${strategy} ${NEEDS_GLOBAL_MODEL}.`)
}

/** [moment][weight][element], fresh; as they begin where nothing is remembered. */
async function readMoments(
  state: StrategyState,
  initial: ServerOptimizer['moments'],
  graph: NeuronGraph,
): Promise<Float64Array[][]> {
  const all: Float64Array[][] = []
  for (const [moment, value] of Object.entries(initial)) {
    const remembered = await state[moment]?.()
    const byName = new Map(remembered?.map(({ name, data }) => [name, data]))
    all.push(
      graph.weights.map(({ name, shape }) => {
        const data = byName.get(name)
        return data === undefined
          ? new Float64Array(sizeOf(shape)).fill(value)
          : Float64Array.from(data)
      }),
    )
  }
  return all
}

function tensorsOf(
  values: readonly Float64Array[],
  graph: NeuronGraph,
  trained: ReadonlySet<string>,
): Weights {
  return graph.weights.flatMap(({ name, shape }, w): NamedTensor[] =>
    trained.has(name) ? [{ name, shape, data: Float32Array.from(values[w]!) }] : [],
  )
}

import { GraftError } from '../../shared/errors.ts'
import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { trainableWeights } from '../../shared/model/op-graph.ts'
import { openWeights, readBlock, stretchesOf } from '../../shared/model/weight-reader.ts'
import { partOf } from '../../shared/model/weight-stream.ts'
import {
  inGraphOrder,
  ledgerByShares,
  meansOf,
  rounded,
  weighByExamples,
  type WeighedParent,
} from './fedavg.ts'
import { type ReadRemembered, recall } from './recall.ts'
import type { FusionInput, OpenFusion, RoundStart } from './strategy.ts'

/** An optimiser that the coordinator runs on the global model, a step a round. */
export interface ServerOptimizer {
  /** What it keeps of each trained weight, by name, and what that begins with. */
  readonly moments: Readonly<Record<string, number>>
  /**
   * @param delta what the round wants to add to some elements of one weight, [element]
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
 * The step is made again for the model and for each moment, from the parents: nothing of it is held.
 *
 * @param strategy its name, for messages
 * @throws GraftError GRAFT_STRATEGY_UNKNOWN outside of a round
 */
export async function optimizeGlobalModel(
  strategy: string,
  { parents, graph, start, signal }: FusionInput,
  optimizer: ServerOptimizer,
): Promise<OpenFusion> {
  const begun = startOf(start, strategy)
  const weighed = weighByExamples(parents)
  const trained = new Set(trainableWeights(graph.ops))
  const steps = () => stepsOf({ weighed, graph, begun, optimizer, trained, signal })
  const moments = Object.keys(optimizer.moments).map((name, m) => {
    const all = {
      shapes: graph.weights,
      pieces: () => rounded(steps(), (block) => block.moments[m]!),
    }
    return [name, async () => partOf(all, trained)] as const
  })
  return {
    weights: {
      shapes: graph.weights,
      pieces: () => rounded(steps(), ({ after }) => after),
    },
    ledger: () => ledgerByShares(weighed, graph),
    state: Object.fromEntries(moments),
  }
}

/** @throws GraftError GRAFT_STRATEGY_UNKNOWN outside of a round */
export function startOf(start: RoundStart | undefined, strategy: string): RoundStart {
  if (start !== undefined) return start
  throw new GraftError('GRAFT_STRATEGY_UNKNOWN', `${strategy} ${NEEDS_GLOBAL_MODEL}.`)
}

interface StepInput {
  readonly weighed: readonly WeighedParent[]
  readonly graph: NeuronGraph
  readonly begun: RoundStart
  readonly optimizer: ServerOptimizer
  readonly trained: ReadonlySet<string>
  readonly signal: AbortSignal | undefined
}

/** A block of what comes of a step. */
interface StepBlock {
  /** Of the model. */
  readonly after: Float64Array
  /** [moment][place]; of weights that are not trained what moments begin with. */
  readonly moments: readonly Float64Array[]
}

async function* stepsOf(input: StepInput): AsyncGenerator<StepBlock> {
  const { weighed, graph, begun, optimizer, trained, signal } = input
  const before = inGraphOrder(await openWeights(begun.globalModel), graph, 'the global model')
  const kept: ReadRemembered[] = []
  for (const [name, initial] of Object.entries(optimizer.moments)) {
    kept.push(await recall(begun.state, name, { weights: graph.weights, initial }))
  }
  for await (const { from, means: after } of meansOf(weighed, graph, signal)) {
    const global = await readBlock(before, from, after.length)
    const moments: Float64Array[] = []
    for (const read of kept) moments.push(await read(from, after.length))
    for (const { index, at, size } of stretchesOf(graph.weights, from, after.length)) {
      if (!trained.has(graph.weights[index]!.name)) continue
      const part = <Values extends Float32Array | Float64Array>(of: Values) =>
        of.subarray(at, at + size) as Values
      const [mean, data] = [part(after), part(global)]
      const added = optimizer.step(
        mean.map((value, i) => value - data[i]!),
        moments.map(part),
      )
      for (let i = 0; i < mean.length; i++) mean[i] = data[i]! + added[i]!
    }
    yield { after, moments }
  }
}

import type * as tf from '@tensorflow/tfjs'
import type { Dataset, ExampleSet } from '../../../shared/data/example-set.ts'
import { GraftError } from '../../../shared/errors.ts'
import { parseArchitecture } from '../../../shared/model/architectures.ts'
import { buildModel } from '../../../shared/model/build-model.ts'
import { initialWeights } from '../../../shared/model/initial-weights.ts'
import { neuronGraph } from '../../../shared/model/neuron-graph.ts'
import { type Weights, writeWeights } from '../../../shared/model/weights.ts'
import { createRng, type Rng } from '../../../shared/numeric/rng.ts'
import type {
  ExperimentCase,
  MethodResult,
  Row,
} from '../../../shared/protocol/experiment-report.ts'
import { evaluate } from '../../../shared/training/evaluate.ts'
import { fit } from '../../../shared/training/fit.ts'
import { fuseParents } from '../../fusion/fuse-parents.ts'
import { parseStrategy } from '../../fusion/strategies.ts'
import type { Parent } from '../../fusion/strategy.ts'
import { bestParent } from '../../proxy/best-parent.ts'
import { askParents, type Opinion } from '../../proxy/ensemble.ts'
import { splitProxy } from '../../proxy/split-proxy.ts'
import { modelFor } from '../model-for.ts'
import { CONTROLS, FUSE_SECONDS, FUSED, type OfflineGrid, tunedMeasure } from './offline-grid.ts'
import type { TrainedParents } from '../train-parents.ts'

export interface OfflineCaseInput {
  readonly row: Row
  readonly seed: number
  readonly model: string
  readonly grid: OfflineGrid
  /** Its test split is what judges. */
  readonly dataset: Dataset
  readonly trained: TrainedParents
  readonly signal: AbortSignal | undefined
}

/**
 * Every method of a grid and the controls, right after fusion and after each schedule of tuning. All are tuned alike,
 * on the same images in the same order, without a choice of the best epoch; nothing is chosen by test images.
 *
 * @throws GraftError of the architecture; what a method refuses is a result
 */
export async function runOfflineCase(input: OfflineCaseInput): Promise<ExperimentCase> {
  const { row, seed, grid, dataset, trained, signal } = input
  const { parents, pool } = trained
  const rng = createRng(String(seed)).split('experiment')
  const architecture = parseArchitecture(modelFor(input.model, dataset.train), dataset.train)
  const model = buildModel(architecture, rng.split('model'))
  try {
    const graph = neuronGraph(model)
    const proxy = splitProxy(pool, rng.split('split'))
    const [onPool, onTest] = await askParents(model, parents, [pool, dataset.test])
    const judge = async (weights: Weights): Promise<number> => {
      writeWeights(model, weights)
      return (await evaluate(model, dataset.test)).accuracy
    }
    const tuned = (start: Weights) => tuneAndJudge(model, start, { ...input, rng })
    const results: MethodResult[] = parentResults(parents, onPool!, onTest!)
    const best = bestParent(parents, onPool!)
    // A parent of other widths is no start for this network.
    if (grid.parentModels === undefined) {
      Object.assign(results[0]!.values, await tuned(await best.load()))
    }
    const start = initialWeights(architecture, rng.split('alone'))
    results.push({ method: CONTROLS.alone, values: await tuned(start) })
    for (const method of grid.methods) {
      signal?.throwIfAborted()
      const { strategy, options } = parseStrategy(method)
      try {
        const since = performance.now()
        const given = { parents, graph, options, proxy, rng: rng.split(method) }
        const { weights } = await fuseParents(strategy, { ...given, ...(signal && { signal }) })
        const seconds = (performance.now() - since) / 1000
        const values = { [FUSED]: await judge(weights), ...(await tuned(weights)) }
        results.push({ method, values: { ...values, [FUSE_SECONDS]: seconds } })
      } catch (error) {
        if (!(error instanceof GraftError)) throw error
        results.push({ method, values: { [FUSED]: null }, note: error.problem })
      }
    }
    return { row, seed, results }
  } finally {
    model.dispose()
  }
}

/** The best parent, by images that no parent was trained on, comes first. */
function parentResults(
  parents: readonly Parent[],
  onPool: Opinion,
  onTest: Opinion,
): MethodResult[] {
  const accuracies = [...onTest.parents.values()].map(({ accuracy }) => accuracy)
  const best = onTest.parents.get(bestParent(parents, onPool).id)!.accuracy
  return [
    { method: CONTROLS.bestParent, values: { [FUSED]: best } },
    { method: CONTROLS.worstParent, values: { [FUSED]: Math.min(...accuracies) } },
    { method: CONTROLS.ensemble, values: { [FUSED]: onTest.ensemble.accuracy } },
  ]
}

/** @returns test accuracy after each number of epochs at each rate; null from where the loss was no number */
async function tuneAndJudge(
  model: tf.LayersModel,
  start: Weights,
  { grid, dataset, trained, signal, rng }: OfflineCaseInput & { rng: Rng },
): Promise<Record<string, number | null>> {
  const { on, optimizer, batchSize, learningRates, epochs } = grid.tuning
  const examples: ExampleSet = on === 'training images' ? trained.seen : trained.pool
  const everySteps = Math.ceil(examples.labels.length / batchSize)
  const values: Record<string, number | null> = {}
  for (const learningRate of learningRates) {
    for (const count of epochs) values[tunedMeasure(grid, count, learningRate)] = null
    if (epochs.length === 0) continue
    writeWeights(model, start)
    try {
      await fit(model, examples, {
        ...{ optimizer, batchSize, learningRate, epochs: Math.max(...epochs) },
        rng: rng.split(`tune/${learningRate}`),
        checkpoint: {
          everySteps,
          save: async ({ step }) => {
            const done = step / everySteps
            if (!epochs.includes(done)) return
            const { accuracy } = await evaluate(model, dataset.test)
            values[tunedMeasure(grid, done, learningRate)] = accuracy
          },
        },
        ...(signal && { signal }),
      })
    } catch (error) {
      if (!(error instanceof GraftError && error.code === 'GRAFT_NOT_FINITE')) throw error
    }
  }
  return values
}

import { attribute } from '../../shared/attribution/attribute.ts'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { subset } from '../../shared/data/subset.ts'
import { GraftError } from '../../shared/errors.ts'
import { drawWeights } from '../../shared/model/initial-weights.ts'
import { neuronGraph, widthsOf } from '../../shared/model/neuron-graph.ts'
import { sizeOf, writeWeights } from '../../shared/model/weights.ts'
import { countSteps } from '../../shared/training/count-steps.ts'
import { evaluate } from '../../shared/training/evaluate.ts'
import { fit } from '../../shared/training/fit.ts'
import { measuresControls } from '../coordinator/ends-run.ts'
import type { RunPlan } from '../coordinator/run-plan.ts'
import { compareParents } from '../fusion/compare-parents.ts'
import { fuseParents } from '../fusion/fuse-parents.ts'
import type { Parent } from '../fusion/strategy.ts'

/** What parts of a round take on this machine, seconds. */
export interface Calibration {
  /** One training step of a client. */
  readonly step: number
  /** One step of tuning. */
  readonly tuneStep: number
  /** Judging one example. */
  readonly example: number
  /** Scoring the neurons by one example. */
  readonly scored: number
  /** Fusing {@link parents} networks; null where it took longer than the patience. */
  readonly fusion: number | null
  /** Finding out how diverse they are; 0 where no round does, null where it took longer than the patience. */
  readonly comparison: number | null
  /** Networks that were fused to find out. */
  readonly parents: number
}

/** Steps that are timed; the first one warms the engine up. */
const STEPS = 4
const SCORED = 8
/** Two batches. Of a small proxy set alone, one would time the calls and not the examples. */
const JUDGED = 512
/** `krum` takes no fewer. */
const MOST_PARENTS = 5
/** Of larger networks two are made up: they are all in memory. */
const LARGE_WEIGHTS = 5e6

/**
 * Does each part once on networks that have learnt nothing; leaves no tensor behind.
 *
 * @param patienceSeconds longest time that fusing, and comparing, may take
 */
export async function calibrate(plan: RunPlan, patienceSeconds: number): Promise<Calibration> {
  const { settings, network, proxy, test, strategy } = plan
  const rng = plan.rng.split('preflight')
  const model = network.build()
  try {
    writeWeights(model, plan.untrained())
    const timeStep = async (batchSize: number, optimizer: typeof settings.training.optimizer) => {
      const indices = Array.from({ length: batchSize }, (_, i) => i % proxy.train.labels.length)
      const batch = subset(proxy.train, indices)
      const learn = (epochs: number) =>
        fit(model, batch, {
          ...{ epochs, batchSize, optimizer },
          learningRate: settings.training.learningRate,
          rng,
        })
      await learn(1)
      return (await secondsOf(() => learn(STEPS))) / STEPS
    }
    const step = await timeStep(settings.training.batchSize, settings.training.optimizer)
    const tuneStep =
      settings.tune.mode === 'none' ? 0 : await timeStep(settings.tune.batchSize, 'adam')
    const few = firstOf(proxy.train, SCORED)
    const many = firstOf(test, JUDGED)
    await evaluate(model, few)
    const judged = await secondsOf(() => evaluate(model, many))
    const scored = await secondsOf(() => attribute(settings.scorer, model, few, {}))

    const graph = neuronGraph(model)
    const isLarge =
      network.weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0) > LARGE_WEIGHTS
    const count = Math.min(settings.clients, isLarge ? 2 : MOST_PARENTS)
    const parents = madeUpParents(plan, { count, widths: widthsOf(graph), examples: proxy.train })
    const following = () => ({ signal: AbortSignal.timeout(patienceSeconds * 1000) })
    const inTime = (work: (signal: { signal: AbortSignal }) => Promise<unknown>) =>
      secondsOf(() => work(following())).catch(nullWhenLate)
    const comparison = measuresControls(settings, { isLast: true })
      ? await inTime((signal) => compareParents({ parents, graph, proxy, rng, ...signal }))
      : 0
    const fusion = await inTime((signal) =>
      fuseParents(strategy.strategy, {
        ...{ parents, graph, proxy, rng, ...signal },
        options: strategy.options,
        start: {
          globalModel: { load: async () => plan.untrained() },
          state: {},
          numClients: settings.clients,
          training: {
            learningRate: settings.training.learningRate,
            countSteps: (numExamples) => countSteps(numExamples, settings.training),
          },
        },
      }),
    )
    return {
      ...{ step, tuneStep, fusion, comparison, parents: count },
      example: judged / many.labels.length,
      scored: scored / few.labels.length,
    }
  } finally {
    model.dispose()
  }
}

const firstOf = (examples: ExampleSet, count: number): ExampleSet =>
  subset(examples, [...examples.labels.keys()].slice(0, count))

/** Networks of the run's shape, each from another seed. */
function madeUpParents(
  { network, rng }: RunPlan,
  made: {
    readonly count: number
    readonly widths: readonly number[]
    readonly examples: ExampleSet
  },
): Parent[] {
  const classCounts = Array.from({ length: made.examples.numClasses }, () => 10)
  return Array.from({ length: made.count }, (_, index): Parent => {
    const stream = rng.split(`preflight/parent-${index}`)
    const weights = drawWeights(network.weights, stream)
    return {
      id: `parent-${index}`,
      numExamples: 10 * classCounts.length,
      classCounts,
      scores: made.widths.map((width) => Float32Array.from({ length: width }, () => stream.next())),
      widths: made.widths,
      load: async () => weights,
    }
  })
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const since = performance.now()
  await work()
  return (performance.now() - since) / 1000
}

/** A strategy may also refuse parents that nobody has trained: then nobody knows, either. */
function nullWhenLate(error: unknown): null {
  const isLate = error instanceof DOMException && error.name === 'TimeoutError'
  if (isLate || error instanceof GraftError) return null
  throw error
}

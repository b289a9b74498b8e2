import { loadDataset } from '../../../shared/data/datasets.ts'
import type { Dataset, ExampleSet } from '../../../shared/data/example-set.ts'
import { splitDataset } from '../../../shared/data/split.ts'
import { countClasses, subset } from '../../../shared/data/subset.ts'
import type { Architecture } from '../../../shared/model/architecture.ts'
import { parseArchitecture } from '../../../shared/model/architectures.ts'
import { buildModel } from '../../../shared/model/build-model.ts'
import { initialWeights } from '../../../shared/model/initial-weights.ts'
import { type NeuronGraph, neuronGraph } from '../../../shared/model/neuron-graph.ts'
import { readWeights, type Weights, writeWeights } from '../../../shared/model/weights.ts'
import { createRng, type Rng } from '../../../shared/numeric/rng.ts'
import { type Evaluation, evaluate } from '../../../shared/training/evaluate.ts'
import { fit } from '../../../shared/training/fit.ts'
import type { PairResult } from '../../../shared/protocol/forecast-report.ts'
import { measureDiversity } from '../../fusion/diversity.ts'
import { fuseParents } from '../../fusion/fuse-parents.ts'
import { parseStrategy } from '../../fusion/strategies.ts'
import type { Parent } from '../../fusion/strategy.ts'
import { splitProxy } from '../../proxy/split-proxy.ts'
import { drawFrom } from '../draw-from.ts'
import { createTuner } from '../tuner.ts'

/** How the two parents of a pair come about; each model is in one pair only. */
export interface PairKind {
  readonly name: string
  /** Whether both begin from the same weights: untrained ones, or those of a network trained for an epoch. */
  readonly start: 'own' | 'untrained' | 'trained'
  /** How the examples are dealt to the two; `same`: both see the same ones, in another order. */
  readonly partition: string
}

export const PAIR_KINDS: readonly PairKind[] = [
  { name: 'batches in another order', start: 'untrained', partition: 'same' },
  { name: 'a start and halves of the data', start: 'untrained', partition: 'iid' },
  { name: 'a start and skewed parts', start: 'untrained', partition: 'dirichlet-ordered' },
  { name: 'a trained start and skewed parts', start: 'trained', partition: 'dirichlet-ordered' },
  { name: 'a trained start and five classes each', start: 'trained', partition: 'labels:5' },
  { name: 'the same data', start: 'own', partition: 'same' },
  { name: 'halves of the data', start: 'own', partition: 'iid' },
  { name: 'skewed parts', start: 'own', partition: 'dirichlet-ordered' },
  { name: 'very skewed parts', start: 'own', partition: 'dirichlet:0.3' },
  { name: 'five classes each', start: 'own', partition: 'labels:5' },
]

export interface ForecastSettings {
  readonly datasets: readonly string[]
  readonly seeds: readonly number[]
  readonly model: string
  /** Training examples a parent, and its epochs. */
  readonly images: number
  readonly epochs: number
  /** Proxy examples, a fifth of them held out, and most epochs of tuning by their labels. */
  readonly proxyImages: number
  readonly tuneEpochs: number
  /** Examples of the test split that judge. */
  readonly testImages: number
}

const TRAINING = { batchSize: 64, optimizer: 'adam', learningRate: 0.001 } as const
const TUNING = { mode: 'labels', batchSize: 64, learningRate: 0.001 } as const

/**
 * Trains pairs of every kind, measures how diverse each is, and what Neuron Transplantation makes of it; and
 * the same for a network and its copy, once a data set and seed. Nothing is chosen by test images.
 *
 * @param onPair called with each pair as it is done
 */
export async function measurePairs(
  settings: ForecastSettings,
  onPair: (pair: PairResult) => void,
  signal?: AbortSignal,
): Promise<PairResult[]> {
  const results: PairResult[] = []
  for (const name of settings.datasets) {
    const dataset = await loadDataset(name, { ...(signal && { signal }) })
    const architecture = parseArchitecture(settings.model, dataset.train)
    for (const seed of settings.seeds) {
      const rng = createRng(String(seed)).split('forecast').split(name)
      const bench = openBench({ dataset, architecture, settings, seed, rng, signal })
      try {
        for (const kind of PAIR_KINDS) {
          const parents = await bench.train(kind)
          const found = await bench.measure(parents, kind.name)
          const pair = { dataset: name, seed, kind: kind.name, ...found }
          results.push(pair)
          onPair(pair)
          if (kind !== PAIR_KINDS[0]) continue
          const [one] = parents
          const copied = await bench.measure([one, { ...one, id: 'copy' }], 'copy')
          const copy = { dataset: name, seed, kind: 'copy', ...copied }
          results.push(copy)
          onPair(copy)
        }
      } finally {
        bench.dispose()
      }
    }
  }
  return results
}

interface BenchInput {
  readonly dataset: Dataset
  readonly architecture: Architecture
  readonly settings: ForecastSettings
  readonly seed: number
  readonly rng: Rng
  readonly signal: AbortSignal | undefined
}

/** One model, and what pairs of one data set and seed are trained on and judged by. */
function openBench({ dataset, architecture, settings, seed, rng, signal }: BenchInput) {
  const model = buildModel(architecture, rng.split('model'))
  const graph: NeuronGraph = neuronGraph(model)
  const test = drawFrom(dataset.test, settings.testImages, rng.split('test'))

  const splitBy = (partition: string) =>
    splitDataset(dataset.train, {
      ...{ proxy: settings.proxyImages, clients: 2, partition, seed },
      examplesPerClient: settings.images,
    })
  // The same whatever the partition, so that no parent has seen any of it.
  const proxy = splitProxy(subset(dataset.train, splitBy('iid').proxy), rng.split('held-out'))

  const onHeldOut = async (weights: Weights): Promise<Evaluation> => {
    writeWeights(model, weights)
    return evaluate(model, proxy.heldOut)
  }

  async function trainOn(own: ExampleSet, start: Weights, epochs: number, of: Rng) {
    writeWeights(model, start)
    await fit(model, own, { ...TRAINING, epochs, rng: of, ...(signal && { signal }) })
    return readWeights(model)
  }

  async function train(kind: PairKind): Promise<[Parent, Parent]> {
    const isSame = kind.partition === 'same'
    const split = splitBy(isSame ? 'iid' : kind.partition)
    const of = rng.split(kind.name)
    const parts = split.clients.map((indices) => subset(dataset.train, indices))
    const common = initialWeights(architecture, of.split('start'))
    const warm =
      kind.start === 'trained' ? await trainOn(parts[0]!, common, 1, of.split('warm')) : common
    const parents: Parent[] = []
    for (const index of [0, 1]) {
      const own = parts[isSame ? 0 : index]!
      const start =
        kind.start === 'own' ? initialWeights(architecture, of.split(`start ${index}`)) : warm
      const weights = await trainOn(own, start, settings.epochs, of.split(`fit ${index}`))
      parents.push({
        ...{ id: `parent-${index}`, numExamples: own.labels.length, scores: [] },
        ...{ classCounts: countClasses(own), load: async () => weights },
      })
    }
    return [parents[0]!, parents[1]!]
  }

  async function measure(parents: readonly [Parent, Parent], kind: string) {
    const of = rng.split(`judge ${kind}`)
    const diversity = await measureDiversity({ parents, graph, proxy, rng: of })
    const { strategy, options } = parseStrategy('nt')
    const { weights } = await fuseParents(strategy, { parents, graph, options, proxy, rng: of })
    const tuner = createTuner({
      ...{ model, proxy, teacher: null, judged: test, rng: of.split('tune'), signal },
      settings: { ...TUNING, epochs: settings.tuneEpochs },
    })
    const [a, b] = [await parents[0].load(), await parents[1].load()]
    const [ofA, ofB] = [await onHeldOut(a), await onHeldOut(b)]
    const best = ofB.accuracy > ofA.accuracy ? b : a
    const { weightDistance, disagreement, cka } = diversity.pairs[0]!
    return {
      ...{ weightDistance, disagreement, cka },
      parents: [await tuner.judge(a), await tuner.judge(b)] as const,
      fused: await tuner.judge(weights),
      tuned: await tuner.tune(weights),
      bestParentTuned: await tuner.tune(best),
    }
  }

  return { train, measure, dispose: () => model.dispose() }
}

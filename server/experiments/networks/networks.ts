import { loadDataset } from '../../../shared/data/datasets.ts'
import type { Dataset } from '../../../shared/data/example-set.ts'
import { GraftError } from '../../../shared/errors.ts'
import { parseArchitecture } from '../../../shared/model/architectures.ts'
import { buildModel } from '../../../shared/model/build-model.ts'
import { initialWeights } from '../../../shared/model/initial-weights.ts'
import { neuronGraph } from '../../../shared/model/neuron-graph.ts'
import { createRng, type Rng } from '../../../shared/numeric/rng.ts'
import type { NetworkCase, NetworkResult } from '../../../shared/protocol/networks-report.ts'
import { fuseParents } from '../../fusion/fuse-parents.ts'
import { parseMethod } from '../../fusion/strategies.ts'
import { bestParent } from '../../proxy/best-parent.ts'
import { askParents } from '../../proxy/ensemble.ts'
import { splitProxy } from '../../proxy/split-proxy.ts'
import { createTeacher } from '../../proxy/teacher.ts'
import { drawFrom } from '../draw-from.ts'
import { trainParents } from '../train-parents.ts'
import { createTuner } from '../tuner.ts'

/** Deep networks on a subset of a data set, small enough for a CPU; each model is a case. */
export interface NetworksSettings {
  readonly dataset: string
  /** Specs as `--model` takes them. */
  readonly models: readonly string[]
  /** As `--strategy` takes them; what a method refuses is part of the result. */
  readonly methods: readonly string[]
  readonly parents: number
  readonly partition: string
  /** Training images a parent. */
  readonly images: number
  /** Of the parents' training. */
  readonly epochs: number
  /** Images that fusion looks at and that tuning learns from, a fifth of them held out; no parent sees them. */
  readonly proxyImages: number
  readonly tuneEpochs: number
  /** Images of the test split that judge, balanced by class. */
  readonly testImages: number
  readonly seed: number
}

/** Scores are rough after a hundred images, and each takes a pass at eleven points. */
const SCORED_EXAMPLES = 100
const TUNING = { mode: 'both', learningRate: 0.001, batchSize: 64 } as const

/**
 * Parents of one architecture after another, each method's network right after fusion and after tuning, and
 * the controls, on the test images. Nothing is chosen by test images.
 *
 * @param onStep called with a few words as each step is done
 * @throws GraftError of the data set, partition or architecture; what a method refuses is no error
 */
export async function measureNetworks(
  settings: NetworksSettings,
  onStep: (step: string) => void,
  signal?: AbortSignal,
): Promise<NetworkCase[]> {
  const dataset = await loadDataset(settings.dataset, { ...(signal && { signal }) })
  const rng = createRng(String(settings.seed)).split('networks')
  const test = drawFrom(dataset.test, settings.testImages, rng.split('test'))
  const cases: NetworkCase[] = []
  for (const spec of settings.models) {
    const input = { spec, settings, rng: rng.split(spec), onStep, signal }
    cases.push(await measureNetwork({ train: dataset.train, test, name: dataset.name }, input))
  }
  return cases
}

interface CaseInput {
  readonly spec: string
  readonly settings: NetworksSettings
  readonly rng: Rng
  readonly onStep: (step: string) => void
  readonly signal: AbortSignal | undefined
}

async function measureNetwork(
  dataset: Dataset,
  { spec, settings, rng, onStep, signal }: CaseInput,
): Promise<NetworkCase> {
  const say = (step: string) => onStep(`${spec}: ${step}`)
  const architecture = parseArchitecture(spec, dataset.train)
  const { parents: count, partition, images, epochs, proxyImages, seed } = settings
  let since = performance.now()
  const seconds = () => (performance.now() - since) / 1000
  const { parents, pool } = await trainParents(
    dataset,
    architecture,
    {
      ...{ parents: count, partition, epochs, seed },
      ...{ pool: proxyImages, examplesPerParent: images, scoredExamples: SCORED_EXAMPLES },
      onParent: ({ id }) => say(`${id} trained (${seconds().toFixed(0)} s)`),
    },
    signal,
  )
  const trainingSeconds = seconds()
  const model = buildModel(architecture, rng.split('model'))
  try {
    const graph = neuronGraph(model)
    const proxy = splitProxy(pool, rng.split('split'))
    const { train, heldOut } = proxy
    const [onHeldOut, onTest] = await askParents(model, parents, [heldOut, dataset.test])
    const teacher = createTeacher({
      ...{ model, parents, train, heldOut: onHeldOut!.ensemble },
      ...{ epochs: settings.tuneEpochs, rng: rng.split('teacher') },
    })
    const tuner = createTuner({
      ...{ model, proxy, teacher, judged: dataset.test, rng: rng.split('tune'), signal },
      settings: { ...TUNING, epochs: settings.tuneEpochs },
    })
    const measure = async (method: string): Promise<NetworkResult> => {
      const { strategy, options } = parseMethod(method)
      since = performance.now()
      try {
        const input = { parents, graph, options, proxy, rng: rng.split(method) }
        const { weights } = await fuseParents(strategy, { ...input, ...(signal && { signal }) })
        const took = seconds()
        say(`${method} fused (${took.toFixed(0)} s)`)
        const fused = await tuner.judge(weights)
        return { method, fused, tuned: await tuner.tune(weights), seconds: took }
      } catch (error) {
        if (!(error instanceof GraftError)) throw error
        say(`${method} refuses: ${error.problem}`)
        return { method, fused: null, tuned: null, seconds: null, refused: error.problem }
      }
    }
    const methods: NetworkResult[] = []
    for (const method of settings.methods) methods.push(await measure(method))
    const best = bestParent(parents, onHeldOut!)
    return {
      model: spec,
      parameters: model.countParams(),
      parents: [...onTest!.parents.values()].map(({ accuracy }) => accuracy),
      ensemble: onTest!.ensemble.accuracy,
      proxyAlone: await tuner.tune(initialWeights(architecture, rng.split('alone')), 'labels'),
      bestParentTuned: await tuner.tune(await best.load()),
      methods,
      trainingSeconds,
    }
  } finally {
    model.dispose()
  }
}

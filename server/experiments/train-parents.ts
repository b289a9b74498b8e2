import { attribute } from '../../shared/attribution/attribute.ts'
import type { Dataset, ExampleSet } from '../../shared/data/example-set.ts'
import { sample } from '../../shared/data/sample.ts'
import { splitDataset } from '../../shared/data/split.ts'
import { countClasses, subset } from '../../shared/data/subset.ts'
import type { Architecture } from '../../shared/model/architecture.ts'
import { buildModel } from '../../shared/model/build-model.ts'
import { readWeights } from '../../shared/model/weights.ts'
import { createRng } from '../../shared/numeric/rng.ts'
import { fit } from '../../shared/training/fit.ts'
import type { OptimizerSettings } from '../../shared/training/optimizer-settings.ts'
import type { Parent } from '../fusion/strategy.ts'

/** How the parents of an experiment come about. */
export interface ParentsSettings {
  readonly parents: number
  /** As `--partition` takes it; `same`: all see the same examples, from other starts; `copy`: all are one network. */
  readonly partition: string
  /** Examples kept apart for proxy sets, balanced by class; no parent sees them. */
  readonly pool: number
  readonly epochs: number
  /** @default Adam at 0.001 in batches of 64 */
  readonly training?: OptimizerSettings & { readonly batchSize: number }
  /** The parents' own architectures, in turn, where they differ from the fused network's. */
  readonly architectures?: readonly Architecture[]
  readonly seed: number
  /** Most examples that a parent keeps of its part; all when not given. */
  readonly examplesPerParent?: number
  /** Most of its own examples that a parent's neurons are scored on. */
  readonly scoredExamples?: number
  /** Called with each parent as it is trained and scored. */
  readonly onParent?: (parent: Parent) => void
}

export interface TrainedParents {
  readonly parents: readonly Parent[]
  /** What proxy sets are drawn from. */
  readonly pool: ExampleSet
  /** Everything that some parent was trained on. */
  readonly seen: ExampleSet
}

/** Scores are means over examples, and settle with a few hundred. */
const SCORED_EXAMPLES = 400

const TRAINING = { batchSize: 64, optimizer: 'adam', learningRate: 0.001 } as const

/** Trains networks from different starts on the parts of a partition, with conductance scores on their own examples. */
export async function trainParents(
  dataset: Dataset,
  architecture: Architecture,
  settings: ParentsSettings,
  signal?: AbortSignal,
): Promise<TrainedParents> {
  const { parents: clients, partition, pool, epochs, seed } = settings
  const { examplesPerParent = null, scoredExamples = SCORED_EXAMPLES } = settings
  const { training = TRAINING, architectures = [architecture] } = settings
  const isShared = isSharedByAll(partition)
  const split = splitDataset(dataset.train, {
    proxy: pool,
    clients: isShared ? 1 : clients,
    partition: isShared ? 'iid' : partition,
    examplesPerClient: examplesPerParent,
    seed,
  })
  const parents: Parent[] = []
  for (let index = 0; index < clients; index++) {
    if (partition === 'copy' && index > 0) {
      parents.push({ ...parents[0]!, id: idOf(index) })
      continue
    }
    const rng = createRng(String(seed)).split(`parent-${index}`)
    const own = subset(dataset.train, split.clients[isShared ? 0 : index]!)
    const model = buildModel(architectures[index % architectures.length]!, rng.split('start'))
    try {
      const options = { ...training, epochs, rng: rng.split('fit') }
      await fit(model, own, { ...options, ...(signal && { signal }) })
      const weights = await readWeights(model)
      const scored = sample(own, scoredExamples, rng.split('scored'))
      const parent = {
        id: idOf(index),
        numExamples: own.labels.length,
        classCounts: countClasses(own),
        scores: await attribute('conductance', model, scored),
        load: async () => weights,
      }
      parents.push(parent)
      settings.onParent?.(parent)
    } finally {
      model.dispose()
    }
  }
  const seen = Int32Array.from(split.clients.flatMap((indices) => [...indices]))
  return {
    parents,
    pool: subset(dataset.train, split.proxy),
    seen: subset(dataset.train, seen),
  }
}

/** Whether all parents see the same images, so that nothing is dealt. */
export const isSharedByAll = (partition: string): boolean =>
  partition === 'same' || partition === 'copy'

const idOf = (index: number): string => `parent-${String(index).padStart(2, '0')}`

import { attribute } from '../../shared/attribution/attribute.ts'
import { drawProportional } from '../../shared/data/draw.ts'
import type { Dataset, ExampleSet } from '../../shared/data/example-set.ts'
import { splitDataset } from '../../shared/data/split.ts'
import { countClasses, subset } from '../../shared/data/subset.ts'
import type { Architecture } from '../../shared/model/architecture.ts'
import { buildModel } from '../../shared/model/build-model.ts'
import { readWeights } from '../../shared/model/weights.ts'
import { createRng, type Rng } from '../../shared/numeric/rng.ts'
import { fit } from '../../shared/training/fit.ts'
import type { Parent } from '../fusion/strategy.ts'

/** How the parents of an experiment come about. */
export interface ParentsSettings {
  readonly parents: number
  readonly partition: string
  /** Examples kept apart for proxy sets, balanced by class; no parent sees them. */
  readonly pool: number
  readonly epochs: number
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
}

/** Scores are means over examples, and settle with a few hundred. */
const SCORED_EXAMPLES = 400

/**
 * Trains networks from different starts on the parts of a partition, by Adam at 0.001 in batches of 64,
 * with conductance scores on their own examples.
 */
export async function trainParents(
  dataset: Dataset,
  architecture: Architecture,
  settings: ParentsSettings,
  signal?: AbortSignal,
): Promise<TrainedParents> {
  const { parents: clients, partition, pool, epochs, seed } = settings
  const { examplesPerParent = null, scoredExamples = SCORED_EXAMPLES } = settings
  const split = splitDataset(dataset.train, {
    proxy: pool,
    clients,
    partition,
    examplesPerClient: examplesPerParent,
    seed,
  })
  const parents: Parent[] = []
  for (const [index, indices] of split.clients.entries()) {
    const rng = createRng(String(seed)).split(`parent-${index}`)
    const own = subset(dataset.train, indices)
    const model = buildModel(architecture, rng.split('start'))
    try {
      const training = { epochs, batchSize: 64, optimizer: 'adam', learningRate: 0.001 } as const
      await fit(model, own, { ...training, rng: rng.split('fit'), ...(signal && { signal }) })
      const weights = await readWeights(model)
      const scored = sampleOf(own, scoredExamples, rng.split('scored'))
      const parent = {
        id: `parent-${String(index).padStart(2, '0')}`,
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
  return { parents, pool: subset(dataset.train, split.proxy) }
}

function sampleOf(examples: ExampleSet, count: number, rng: Rng): ExampleSet {
  const { labels, numClasses } = examples
  if (labels.length <= count) return examples
  return subset(examples, drawProportional({ labels, numClasses, count, rng }))
}

import { drawBalanced } from '../../../shared/data/draw.ts'
import { loadDataset } from '../../../shared/data/datasets.ts'
import type { ExampleSet } from '../../../shared/data/example-set.ts'
import { subset } from '../../../shared/data/subset.ts'
import { GraftError } from '../../../shared/errors.ts'
import { parseArchitecture } from '../../../shared/model/architectures.ts'
import { buildModel } from '../../../shared/model/build-model.ts'
import { initialWeights } from '../../../shared/model/initial-weights.ts'
import { neuronGraph } from '../../../shared/model/neuron-graph.ts'
import { createRng } from '../../../shared/numeric/rng.ts'
import type { FusionCase } from '../../../shared/protocol/fusion-table-report.ts'
import { fuseParents } from '../../fusion/fuse-parents.ts'
import { parseMethod } from '../../fusion/strategies.ts'
import type { ProxyExamples } from '../../fusion/strategy.ts'
import { bestParent } from '../../proxy/best-parent.ts'
import { askParents } from '../../proxy/ensemble.ts'
import { splitProxy } from '../../proxy/split-proxy.ts'
import { createTeacher } from '../../proxy/teacher.ts'
import { trainParents } from '../train-parents.ts'
import { createTuner } from '../tuner.ts'

/** What the table asks: every combination of data set, number of parents and seed is a case. */
export interface FusionTableSettings {
  readonly datasets: readonly string[]
  readonly parents: readonly number[]
  readonly seeds: readonly number[]
  readonly model: string
  readonly partition: string
  /** Of the parents' training. */
  readonly epochs: number
  /** Proxy images when fused networks are judged as they are. */
  readonly zeroShotImages: number
  /** Proxy images when they are tuned. */
  readonly tunedImages: number
  /** As `--strategy` takes them. */
  readonly methods: readonly string[]
  /** Epochs of tuning. */
  readonly tuneEpochs: number
  /**
   * What accuracies are of: the test split; or, to choose settings by, the proxy images that nothing else in
   * the case looks at.
   */
  readonly judgeOn: 'test' | 'unused'
}

/** Examples kept apart for proxy sets. */
const POOL = 5000
const TUNING = { mode: 'both', learningRate: 0.002, batchSize: 256 } as const

/** Which case of a table. */
export type CaseName = Pick<FusionCase, 'dataset' | 'parents' | 'seed'>

/** The cases of a table, seeds within numbers of parents within data sets. */
export function casesOf({ datasets, parents, seeds }: FusionTableSettings): CaseName[] {
  return datasets.flatMap((dataset) =>
    parents.flatMap((count) => seeds.map((seed) => ({ dataset, parents: count, seed }))),
  )
}

/**
 * Every method beside its controls, right after fusion and after tuning. Nothing is chosen by the images
 * that accuracies are of; proxy images are of the training split, and no parent sees them.
 *
 * @param settings that {@link assertPoolSuffices} lets pass
 */
export async function measureCase(
  settings: FusionTableSettings,
  { dataset: name, parents: count, seed }: CaseName,
  signal?: AbortSignal,
): Promise<FusionCase> {
  const dataset = await loadDataset(name, { ...(signal && { signal }) })
  const architecture = parseArchitecture(settings.model, dataset.train)
  const { partition, epochs, judgeOn } = settings
  const made = { parents: count, partition, pool: POOL, epochs, seed }
  const { parents, pool } = await trainParents(dataset, architecture, made, signal)
  const rng = createRng(String(seed)).split('fusion-table')
  const model = buildModel(architecture, rng.split('model'))
  try {
    const graph = neuronGraph(model)
    const draw = (count: number, purpose: string) =>
      drawBalanced({ ...pool, count, rng: rng.split(purpose) })
    const few = draw(settings.zeroShotImages, 'zero-shot')
    const many = draw(settings.tunedImages, 'tuned')
    const judged = judgeOn === 'test' ? dataset.test : allBut(pool, [...few, ...many])
    const zeroShot = subset(pool, few)
    const { train, heldOut } = splitProxy(subset(pool, many), rng.split('split'))
    const [onHeldOut, onJudged] = await askParents(model, parents, [heldOut, judged])
    const teacher = createTeacher({
      model,
      parents,
      train,
      heldOut: onHeldOut!.ensemble,
      epochs: settings.tuneEpochs,
      rng: rng.split('teacher'),
    })
    const tuner = createTuner({
      ...{ model, proxy: { train, heldOut }, teacher, judged, rng: rng.split('tune'), signal },
      settings: { ...TUNING, epochs: settings.tuneEpochs },
    })
    const fuse = async (method: string, proxy: ProxyExamples) => {
      const { strategy, options } = parseMethod(method)
      const since = performance.now()
      const input = { parents, graph, options, proxy, rng: rng.split(method) }
      const { weights } = await fuseParents(strategy, { ...input, ...(signal && { signal }) })
      return { weights, seconds: (performance.now() - since) / 1000 }
    }
    const methods: FusionCase['methods'] = []
    for (const method of settings.methods) {
      signal?.throwIfAborted()
      try {
        const few = await fuse(method, { train: zeroShot, heldOut: zeroShot })
        const many = await fuse(method, { train, heldOut })
        methods.push({
          method,
          zeroShot: await tuner.judge(few.weights),
          tuned: await tuner.tune(many.weights),
          seconds: few.seconds,
        })
      } catch (error) {
        if (signal?.aborted === true || !(error instanceof Error)) throw error
        const refused = error.message
        methods.push({ method, zeroShot: null, tuned: null, seconds: null, refused })
      }
    }
    const best = await bestParent(parents, onHeldOut!).load()
    const accuracies = [...onJudged!.parents.values()].map(({ accuracy }) => accuracy)
    return {
      dataset: dataset.name,
      parents: count,
      seed,
      bestParent: Math.max(...accuracies),
      worstParent: Math.min(...accuracies),
      ensemble: onJudged!.ensemble.accuracy,
      proxyAlone: await tuner.tune(initialWeights(architecture, rng.split('alone')), 'labels'),
      bestParentTuned: await tuner.tune(best, 'labels'),
      bestParentDistilled: await tuner.tune(best),
      methods,
    }
  } finally {
    model.dispose()
  }
}

/** @throws GraftError GRAFT_OPTION_INVALID for more proxy images than there are */
export function assertPoolSuffices({
  zeroShotImages,
  tunedImages,
  judgeOn,
}: FusionTableSettings): void {
  if (Math.max(zeroShotImages, tunedImages) > POOL) {
    throw new GraftError('GRAFT_OPTION_INVALID', `There are ${POOL} proxy images at most.`)
  }
  if (judgeOn === 'unused' && zeroShotImages + tunedImages >= POOL) {
    throw new GraftError(
      'GRAFT_OPTION_INVALID',
      `Of ${POOL} proxy images, ${zeroShotImages} and ${tunedImages} may leave none to judge on.`,
    )
  }
}

function allBut(set: ExampleSet, used: readonly number[]): ExampleSet {
  const isUsed = new Set(used)
  return subset(
    set,
    [...set.labels.keys()].filter((index) => !isUsed.has(index)),
  )
}

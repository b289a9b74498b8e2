import type * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { headGroup, type NeuronGraph, neuronGraph } from '../../shared/model/neuron-graph.ts'
import { createRng, type Rng } from '../../shared/numeric/rng.ts'
import type { FuseReport } from '../../shared/protocol/fuse-report.ts'
import { GRAFT_VERSION } from '../../shared/protocol/graft-version.ts'
import { compareParents } from '../fusion/compare-parents.ts'
import { parentShares } from '../fusion/ledger.ts'
import { packLedger } from '../fusion/pack-ledger.ts'
import { parseMethod } from '../fusion/strategies.ts'
import type { Fusion, ProxyExamples } from '../fusion/strategy.ts'
import { splitProxy } from '../proxy/split-proxy.ts'
import { drawProxy, factsOf, type FittedDataset, loadFitted } from './examples-option.ts'
import { fuse, type FuseParent, parentsOf, partsOf } from './fuse.ts'
import {
  assertCanTune,
  dataOf,
  type FuseFilesInput,
  methodOf,
  outOf,
  planParents,
  planTarget,
} from './fuse-options.ts'
import {
  askForOpinions,
  judgeWeights,
  measureControls,
  type Trial,
  tuneFused,
} from './judge-networks.ts'
import { layoutOf } from './layout.ts'
import { readParentFiles } from './parent-files.ts'
import { createPhaseClock } from './phase-clock.ts'
import { readCohort } from './read-cohort.ts'
import { assertCanWrite, writeFused } from './write-fused.ts'

/**
 * Fuses networks that lie in files: read, fuse, tune on the proxy set, judge beside the controls, write.
 *
 * @returns what `--json` writes
 * @throws GraftError for whatever the files and options have wrong; then nothing is written
 */
export async function fuseFiles(input: FuseFilesInput): Promise<FuseReport> {
  const { onProgress, signal, seed } = input
  const strategy = parseMethod(input.method)
  const out = outOf(input, strategy)
  assertCanTune(input)
  if (out !== null) await assertCanWrite(out, input.files)
  const clock = createPhaseClock(onProgress)
  const rng = createRng(String(seed))

  clock.enter('read')
  const files = await readParentFiles(input.files)
  const data = dataOf(input)
  const plan = planParents(input.model, files, data)
  const target = planTarget(input.target, plan, data)
  const model = await target.build(rng.split('model'))
  try {
    const graph = neuronGraph(model)
    const layout = layoutOf(input.layout, files)
    const cohort = await readCohort({ files, layout, plan, graph })
    const { proxy, test } = await loadExamples(input, { model, graph, rng })
    const isTuned = input.tune.mode !== 'none' && input.tune.epochs > 0
    const split = proxy && isTuned ? splitProxy(proxy, rng.split('held-out')) : null
    const seen = split ?? (proxy && partsOf(proxy, strategy.strategy, rng.split('held-out')))
    const trial: Trial = {
      model,
      graph,
      plan: target,
      parents: parentsOf(cohort.parents, graph),
      openParent: (parent) => cohort.open(parent),
      tuning: split && { proxy: split, settings: input.tune },
      test,
      rng: rng.split('tune'),
      ...(signal && { signal }),
    }

    clock.enter('compare')
    const diversity = await compareParents({
      ...{ parents: trial.parents, graph, rng: rng.split('diversity') },
      ...(seen && { proxy: seen }),
      ...(signal && { signal }),
    })
    if (diversity !== null) input.onDiversity?.(diversity)

    clock.enter('fuse')
    const fusion =
      strategy.strategy.isComparison === true
        ? null
        : await fuseCohort(input, { parents: cohort.parents, model, proxy: seen })

    clock.enter('judge')
    const opinions = await askForOpinions(trial)
    clock.enter('tune')
    const tuned = fusion && (await tuneFused(trial, opinions, fusion.weights))
    clock.enter('judge')
    const controls = await measureControls(trial, opinions)
    const fused = fusion && (await judgeWeights(trial, fusion.weights))
    const tunedScore = tuned && (await judgeWeights(trial, tuned.weights))
    const method = methodOf(strategy)
    if (fusion !== null && out !== null) {
      const result = tuned?.weights ?? fusion.weights
      const paths = files.map(({ file }) => file)
      const { counts } = cohort
      await writeFused(result, model, { out, layout, plan: target, method, files: paths, counts })
    }
    const phases = clock.stop()
    return {
      version: GRAFT_VERSION,
      method,
      seed,
      engine: input.engine,
      model: target.name,
      layout,
      scores: input.scores,
      proxy: input.proxy && { dataset: input.proxy.dataset, examples: input.proxy.count },
      test: input.test ?? null,
      parents: cohort.parents.map(({ id, numExamples }) => ({
        file: id,
        ...(opinions.test?.parents.get(id) ?? { accuracy: null, loss: null }),
        numExamples: numExamples!,
      })),
      isCounted: cohort.isCounted,
      ensemble: opinions.test?.ensemble ?? null,
      controls,
      fused,
      tuned: tuned && { ...tunedScore, epochs: tuned.epochs, isTuned: tuned.isTuned },
      diversity,
      reason: fusion?.reason ?? null,
      ledger: fusion && packLedger(fusion.ledger),
      shares: fusion && parentShares(fusion.ledger),
      out: fusion && out,
      seconds: phases.fuse,
      phases,
      peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
    }
  } finally {
    model.dispose()
  }
}

async function loadExamples(
  { ownData, proxy, test, normalisation, signal }: FuseFilesInput,
  { model, graph, rng }: { model: tf.LayersModel; graph: NeuronGraph; rng: Rng },
): Promise<{ proxy: ExampleSet | null; test: ExampleSet | null }> {
  const numClasses = headGroup(graph).width
  const loaded = new Map<string, FittedDataset>()
  for (const name of new Set([proxy?.dataset, test])) {
    if (name === undefined) continue
    const source = ownData ?? name
    const own = model.inputs[0]!.shape.slice(1)
    // An axis of any length is as long as the images are.
    const inputShape = own.map((length, axis) => length ?? factsOf(source).inputShape[axis]!)
    const shape = { inputShape, numClasses }
    loaded.set(name, await loadFitted(source, shape, normalisation, signal))
  }
  const train = proxy && loaded.get(proxy.dataset)!.train
  return {
    proxy: train && drawProxy(train, proxy, rng.split('proxy')),
    test: test === undefined ? null : loaded.get(test)!.test,
  }
}

function fuseCohort(
  { method, scores, seed, signal }: FuseFilesInput,
  cohort: {
    readonly parents: readonly FuseParent[]
    readonly model: tf.LayersModel
    readonly proxy: ProxyExamples | null
  },
): Promise<Fusion> {
  const { parents, model, proxy } = cohort
  return fuse({
    method,
    model,
    parents,
    scores,
    seed,
    ...(proxy && { proxy }),
    ...(signal && { signal }),
  })
}

import type * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { initialWeights } from '../../shared/model/initial-weights.ts'
import { type NeuronGraph, neuronGraph, widthsOf } from '../../shared/model/neuron-graph.ts'
import { type Weights, writeWeights } from '../../shared/model/weights.ts'
import type { Rng } from '../../shared/numeric/rng.ts'
import type { TuneSettings } from '../../shared/protocol/run-settings.ts'
import { type Evaluation, evaluate } from '../../shared/training/evaluate.ts'
import { fedavg } from '../fusion/fedavg.ts'
import { measureWidths } from '../fusion/measure-widths.ts'
import type { Parent } from '../fusion/strategy.ts'
import { bestParent } from '../proxy/best-parent.ts'
import { askParents, type Opinion } from '../proxy/ensemble.ts'
import type { ProxySplit } from '../proxy/split-proxy.ts'
import { createTeacher, type Teacher } from '../proxy/teacher.ts'
import { needsTeacher, tune, type Tuned } from '../proxy/tune.ts'
import { namedAs } from './fuse.ts'
import type { ModelPlan } from './model-plan.ts'

/** Everything that is judged beside each other, and with what it is tuned. */
export interface Trial {
  /** Of the fused network; borrowed, its weights are overwritten. */
  readonly model: tf.LayersModel
  readonly graph: NeuronGraph
  readonly plan: ModelPlan
  readonly parents: readonly Parent[]
  /** @returns a parent's own network, which the caller owns; null when nobody knows how to build it */
  readonly openParent: (id: string) => Promise<tf.LayersModel | null>
  /** Null: nothing is tuned. */
  readonly tuning: { readonly proxy: ProxySplit; readonly settings: TuneSettings } | null
  /** Judges, decides nothing; null: nothing is judged. */
  readonly test: ExampleSet | null
  readonly rng: Rng
  readonly onProgress?: (detail: string) => void
  readonly signal?: AbortSignal
}

/** What the parents say, alone and together, before anything is fused. */
export interface Opinions {
  readonly test: Opinion | null
  /** On the held-out proxy examples; null where nothing is tuned. */
  readonly heldOut: Opinion | null
  /** For distillation; null where nothing is tuned. */
  readonly teacher: Teacher | null
}

export async function askForOpinions(trial: Trial): Promise<Opinions> {
  const { model, parents, tuning, test, rng } = trial
  if (tuning === null && test === null) return { test: null, heldOut: null, teacher: null }
  if (tuning === null) {
    const [onTest] = await askParents(model, parents, [test!])
    return { test: onTest!, heldOut: null, teacher: null }
  }
  const { proxy, settings } = tuning
  const sets = test === null ? [proxy.heldOut] : [proxy.heldOut, test]
  const [heldOut, onTest = null] = await askParents(model, parents, sets)
  const teacher = createTeacher({
    model,
    parents,
    train: proxy.train,
    heldOut: heldOut!.ensemble,
    epochs: settings.epochs,
    rng: rng.split('teacher'),
  })
  return { test: onTest, heldOut: heldOut!, teacher }
}

/** Tunes the fused network; null where nothing is tuned. */
export async function tuneFused(
  trial: Trial,
  { teacher }: Opinions,
  fused: Weights,
): Promise<Tuned | null> {
  if (trial.tuning === null) return null
  return tune({
    ...tuneInput(trial, trial.tuning, teacher),
    model: trial.model,
    start: fused,
    rng: trial.rng.split('tune'),
    onProgress: ({ epoch }) => trial.onProgress?.(`epoch ${epoch}`),
  })
}

/** What a fused network has to beat, each null when it was not measured. */
export interface OfflineControls {
  /** Only of parents of the fused network's widths. */
  readonly average: Evaluation | null
  readonly averageTuned: Evaluation | null
  readonly proxyAlone: Evaluation | null
  readonly bestParentTuned: (Evaluation & { readonly file: string }) | null
}

/** Measures the controls on the test set, with the fine-tuning that the fused network gets. */
export async function measureControls(trial: Trial, opinions: Opinions): Promise<OfflineControls> {
  const { model, graph, parents, plan, test, tuning, rng, onProgress } = trial
  const none = { average: null, averageTuned: null, proxyAlone: null, bestParentTuned: null }
  if (test === null) return none

  const tuneAndJudge = async (control: string, start: Weights, by: tf.LayersModel) => {
    onProgress?.(control)
    const { settings } = tuning!
    // By labels whatever the mode: a teacher would bring in what the parents know.
    const mode = control === 'proxyAlone' ? 'labels' : settings.mode
    await tune({
      ...tuneInput(trial, { ...tuning!, settings: { ...settings, mode } }, opinions.teacher),
      model: by,
      start,
      rng: rng.split(control),
    })
    return evaluate(by, test)
  }

  const average = await averageOf(trial)
  if (average !== null) writeWeights(model, average)
  const judged = average === null ? null : await evaluate(model, test)
  if (tuning === null) return { ...none, average: judged }
  const averageTuned = average && (await tuneAndJudge('averageTuned', average, model))
  // A topology of the user's own has no untrained weights that a seed decides.
  const { architecture } = plan
  const untrained = architecture && initialWeights(architecture, rng.split('model'))
  const proxyAlone = untrained && (await tuneAndJudge('proxyAlone', untrained, model))

  const best = bestParent(parents, opinions.heldOut!)
  const weights = await best.load()
  const isAsWide = sameWidths(weights, graph, best.id)
  const own = isAsWide ? model : await trial.openParent(best.id)
  if (own === null) return { average: judged, averageTuned, proxyAlone, bestParentTuned: null }
  try {
    const start = isAsWide ? weights : namedAs(weights, neuronGraph(own))
    const evaluation = await tuneAndJudge('bestParentTuned', start, own)
    const bestParentTuned = { ...evaluation, file: best.id }
    return { average: judged, averageTuned, proxyAlone, bestParentTuned }
  } finally {
    if (!isAsWide) own.dispose()
  }
}

/** Judges one network of the fused network's widths; null without a test set. */
export async function judgeWeights(
  { model, test }: Trial,
  weights: Weights,
): Promise<Evaluation | null> {
  if (test === null) return null
  writeWeights(model, weights)
  return evaluate(model, test)
}

async function averageOf({ parents, graph, rng }: Trial): Promise<Weights | null> {
  for (const parent of parents) {
    if (!sameWidths(await parent.load(), graph, parent.id)) return null
  }
  const { weights } = await fedavg.fuse({ parents, graph, options: {}, rng })
  return weights
}

const sameWidths = (weights: Weights, graph: NeuronGraph, id: string): boolean =>
  String(measureWidths(weights, graph, id)) === String(widthsOf(graph))

function tuneInput(
  { signal }: Trial,
  { proxy, settings }: NonNullable<Trial['tuning']>,
  teacher: Teacher | null,
) {
  return {
    ...proxy,
    settings,
    teacher: needsTeacher(settings) ? teacher : null,
    ...(signal && { signal }),
  }
}

import type * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { GraftError } from '../../shared/errors.ts'
import { type Weights, writeWeights } from '../../shared/model/weights.ts'
import type { Rng } from '../../shared/numeric/rng.ts'
import type { TuneSettings } from '../../shared/protocol/run-settings.ts'
import { type Evaluation, evaluate } from '../../shared/training/evaluate.ts'
import { fit, type FitOptions, type FitState } from '../../shared/training/fit.ts'
import { isBetter } from './is-better.ts'
import { softCrossEntropy, softTargets } from './soft-targets.ts'

/** Epochs without a smaller held-out loss after which tuning ends. */
const PATIENCE = 3

export interface TuneInput {
  /** Borrowed; ends with the weights that are returned. */
  readonly model: tf.LayersModel
  /** Where tuning starts. */
  readonly start: Weights
  readonly train: ExampleSet
  /** Nothing is learnt from it: it decides when tuning ends and which weights are kept. */
  readonly heldOut: ExampleSet
  readonly settings: TuneSettings
  /** For the modes `distill` and `both`; null when the mode needs none. */
  readonly teacher: Teacher | null
  readonly rng: Rng
  readonly onProgress?: (progress: TuneProgress) => void
  /** Once aborted, `tune` rejects with its reason. */
  readonly signal?: AbortSignal
}

/** What distillation learns from: the ensemble of the parents. */
export interface Teacher {
  /** What it takes the `train` examples for, [example, class], row-major. */
  readonly probabilities: Float32Array
  /** How good it is on the held-out examples. */
  readonly heldOut: Evaluation
}

export interface TuneProgress {
  /** Epochs done. */
  readonly epoch: number
  /** The most there can be. */
  readonly epochs: number
  readonly heldOut: Evaluation
}

export interface Tuned {
  readonly weights: Weights
  /** Epochs of tuning in these weights. */
  readonly epochs: number
  /** False when no epoch made the held-out loss smaller: the weights are those of the start. */
  readonly isTuned: boolean
  readonly heldOut: Evaluation
}

/**
 * Fine-tunes a model on the proxy set and keeps the weights of the epoch with the smallest held-out
 * loss. The start is an epoch too, so tuning never makes that loss larger. Early stopping as in Prechelt
 * 1998, "Early stopping - but when?". When the training diverges, what was best before it is kept.
 *
 * Mode `both` learns the labels first, and asks the teacher too only when it is better, on the held-out
 * examples, than what the labels alone have made; then the better of the two results is kept. The
 * ensemble of clients with two classes each is far below its pupil, and would only hold it back.
 *
 * @throws RangeError when the mode needs a teacher and there is none
 */
export async function tune(input: TuneInput): Promise<Tuned> {
  const { model, settings, teacher } = input
  if (settings.mode !== 'both') return tuneBy(settings.mode, input)
  if (teacher === null) throw new RangeError('Tuning by both needs a teacher.')
  const byLabels = await tuneBy('labels', input)
  if (!isBetter(teacher.heldOut, byLabels.heldOut)) return byLabels
  const byBoth = await tuneBy('both', input)
  if (isBetter(byBoth.heldOut, byLabels.heldOut)) return byBoth
  writeWeights(model, byLabels.weights)
  return byLabels
}

async function tuneBy(mode: TuneSettings['mode'], input: TuneInput): Promise<Tuned> {
  const { model, start, train, heldOut, settings, signal } = input
  writeWeights(model, start)
  const untuned = { weights: start, epochs: 0, heldOut: await evaluate(model, heldOut) }
  let best = untuned
  let state: FitState | undefined
  const options = fitOptions(mode, input)
  const epochs = mode === 'none' ? 0 : settings.epochs
  for (let epoch = 1; epoch <= epochs && epoch - best.epochs <= PATIENCE; epoch++) {
    signal?.throwIfAborted()
    state = await fitEpoch(model, train, { ...options, epochs: epoch }, state)
    if (state === undefined) break
    const now = { weights: state.weights, epochs: epoch, heldOut: await evaluate(model, heldOut) }
    if (isSmaller(now.heldOut.loss, best.heldOut.loss)) best = now
    input.onProgress?.({ epoch, epochs, heldOut: now.heldOut })
  }
  writeWeights(model, best.weights)
  return { ...best, isTuned: best.epochs > 0 }
}

function fitOptions(
  mode: TuneSettings['mode'],
  { settings, train, teacher, rng, signal }: TuneInput,
): FitOptions {
  const { epochs, batchSize, learningRate } = settings
  return {
    epochs,
    batchSize,
    learningRate,
    optimizer: 'adam',
    rng,
    ...(signal && { signal }),
    // Without a loss of its own, `fit` learns the labels.
    ...((mode === 'distill' || mode === 'both') && {
      loss: softCrossEntropy(softTargets(mode, train, teacher?.probabilities ?? null)),
    }),
  }
}

/** One more epoch with the optimiser as the last one left it. @returns undefined when it diverged */
async function fitEpoch(
  model: tf.LayersModel,
  train: ExampleSet,
  options: FitOptions,
  resumeFrom: FitState | undefined,
): Promise<FitState | undefined> {
  let state: FitState | undefined
  const everySteps = Math.ceil(train.labels.length / options.batchSize)
  try {
    await fit(model, train, {
      ...options,
      ...(resumeFrom && { resumeFrom }),
      checkpoint: { everySteps, save: (saved) => void (state = saved) },
    })
  } catch (error) {
    // A learning rate that is too large for this network must cost the tuning, not the round.
    if (error instanceof GraftError && error.code === 'GRAFT_NOT_FINITE') return undefined
    throw error
  }
  return state
}

/** What is not a number counts as larger than every number. */
function isSmaller(a: number, b: number): boolean {
  return a < b || (Number.isNaN(b) && !Number.isNaN(a))
}

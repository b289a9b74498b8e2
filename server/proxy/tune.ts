import type * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { GraftError } from '../../shared/errors.ts'
import { readWeights, type Weights, writeWeights } from '../../shared/model/weights.ts'
import type { Rng } from '../../shared/numeric/rng.ts'
import type { TuneSettings } from '../../shared/protocol/run-settings.ts'
import { type Evaluation, evaluate } from '../../shared/training/evaluate.ts'
import { isBetter } from '../../shared/training/is-better.ts'
import { cosineDecay } from '../../shared/training/cosine-decay.ts'
import { fit, type FitOptions } from '../../shared/training/fit.ts'
import { calibrate } from './calibrate.ts'
import { isClearlyWorse } from './is-clearly-worse.ts'
import { logitDistance, type Teacher } from './teacher.ts'

/** Whether a mode learns from the ensemble of the parents. */
export const needsTeacher = ({ mode }: Pick<TuneSettings, 'mode'>): boolean =>
  mode === 'both' || mode === 'distill'

/** Epochs without a smaller held-out loss after which tuning by labels ends. */
const PATIENCE = 3
/** Of the learning rate, for what labels add to what the teacher has taught. */
const FINISHING_SHARE = 0.1

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
  /** False when no epoch was better on the held-out examples: the weights are those of the start. */
  readonly isTuned: boolean
  readonly heldOut: Evaluation
}

/**
 * Fine-tunes a model on the proxy set; what comes out was better on the held-out examples than the start, or is the
 * start. When the training diverges, what was best before it is kept.
 *
 * - `labels`: cross-entropy with the labels, until it no longer helps: early stopping as in Prechelt 1998,
 *   "Early stopping - but when?".
 * - `distill`: the logits of the parents' ensemble on renditions of the examples, in all epochs, by steps
 *   that fall to nothing. No label is learnt.
 * - `both`: first by labels. Then, from the same start, by the ensemble's logits, put right where the labels
 *   say that it is wrong, and by the labels again in small steps, which is kept unless it is clearly worse on
 *   held-out examples than what the labels alone have made. An ensemble that is clearly worse than that is not
 *   asked: that of clients with two classes each is far below its pupil.
 *
 * What has learnt is {@link calibrate}d on the held-out examples at the end.
 *
 * @throws RangeError when the mode needs a teacher and there is none
 */
export async function tune(input: TuneInput): Promise<Tuned> {
  const tuned = await learn(input)
  return tuned.isTuned ? calibrate(input.model, tuned, input.heldOut) : tuned
}

async function learn(input: TuneInput): Promise<Tuned> {
  const { model, start, settings } = input
  switch (settings.mode) {
    case 'none':
      return learnLabels(input, { start, epochs: 0 })
    case 'labels':
      return learnLabels(input, { start })
    case 'distill':
      return better(await untuned(input), await learnLogits(input, 'logits'), model)
    case 'both': {
      const teacher = teacherOf(input)
      const byLabels = await learnLabels(input, { start })
      const count = input.heldOut.labels.length
      if (isClearlyWorse(teacher.heldOut, byLabels.heldOut, count)) return byLabels
      const taught = await learnLogits(input, 'corrected')
      const { weights, epochs } = taught
      const learningRate = settings.learningRate * FINISHING_SHARE
      const finished = await learnLabels(input, { start: weights, learningRate })
      if (isClearlyWorse(finished.heldOut, byLabels.heldOut, count)) return keep(byLabels, model)
      return { ...finished, epochs: epochs + finished.epochs, isTuned: true }
    }
  }
}

/** The start counts, so the held-out loss never grows. */
async function learnLabels(
  input: TuneInput,
  { start, ...own }: { start: Weights; epochs?: number; learningRate?: number },
): Promise<Tuned> {
  const settings = { ...input.settings, ...own }
  return follow(input, { start, settings, patience: PATIENCE, training: {} })
}

/** All epochs, and what the last one leaves: on a few examples, the best of many is mostly luck. */
async function learnLogits(input: TuneInput, answers: 'logits' | 'corrected'): Promise<Tuned> {
  const { start, train, settings, signal } = input
  if (settings.epochs === 0) return untuned(input)
  const lessons = await teacherOf(input).lessons()
  signal?.throwIfAborted()
  const schedule = cosineDecay(
    settings.epochs * Math.ceil(train.labels.length / settings.batchSize),
  )
  return follow(input, {
    start,
    settings,
    patience: null,
    training: {
      schedule,
      curriculum(epoch) {
        const lesson = lessons[(epoch - 1) % lessons.length]!
        return { examples: lesson.examples, loss: logitDistance(lesson[answers]) }
      },
    },
  })
}

function teacherOf({ teacher, settings }: TuneInput): Teacher {
  if (teacher === null) throw new RangeError(`Tuning by ${settings.mode} needs a teacher.`)
  return teacher
}

/** The one that is better on the held-out examples, by accuracy, then loss. */
const better = (first: Tuned, second: Tuned, model: tf.LayersModel): Tuned =>
  keep(isBetter(second.heldOut, first.heldOut) ? second : first, model)

/** `model` gets the weights of what is kept. */
function keep(tuned: Tuned, model: tf.LayersModel): Tuned {
  writeWeights(model, tuned.weights)
  return tuned
}

async function untuned({ model, start, heldOut }: TuneInput): Promise<Tuned> {
  writeWeights(model, start)
  return { weights: start, epochs: 0, isTuned: false, heldOut: await evaluate(model, heldOut) }
}

interface Course {
  readonly start: Weights
  readonly settings: TuneSettings
  /** Epochs without a smaller held-out loss after which it ends; null takes all epochs, and the last weights. */
  readonly patience: number | null
  readonly training: Pick<FitOptions, 'curriculum' | 'schedule'>
}

async function follow(input: TuneInput, { start, settings, ...course }: Course): Promise<Tuned> {
  const { model, train, heldOut, rng, signal } = input
  const { epochs, batchSize, learningRate } = settings
  const { patience, training } = course
  let best = await untuned({ ...input, start })

  async function onEpoch(epoch: number): Promise<boolean> {
    const score = await evaluate(model, heldOut)
    if (patience === null || isSmaller(score.loss, best.heldOut.loss)) {
      best = { weights: await readWeights(model), epochs: epoch, isTuned: true, heldOut: score }
    }
    input.onProgress?.({ epoch, epochs, heldOut: score })
    return patience === null || epoch - best.epochs < patience
  }

  try {
    const options = { epochs, batchSize, learningRate, optimizer: 'adam', rng, onEpoch } as const
    await fit(model, train, { ...options, ...training, ...(signal && { signal }) })
  } catch (error) {
    // A learning rate that is too large for this network must cost the tuning, not the round.
    if (!(error instanceof GraftError && error.code === 'GRAFT_NOT_FINITE')) throw error
  }
  writeWeights(model, best.weights)
  return best
}

/** What is not a number counts as larger than every number. */
function isSmaller(a: number, b: number): boolean {
  return a < b || (Number.isNaN(b) && !Number.isNaN(a))
}

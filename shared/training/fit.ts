import * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../data/example-set.ts'
import { GraftError } from '../errors.ts'
import { modelVariables } from '../model/model-variables.ts'
import { forward, type OpGraph, opGraphOf, trainableWeights } from '../model/op-graph.ts'
import { poolEarly } from '../model/pool-early.ts'
import { readWeights, writeWeights, type Weights } from '../model/weights.ts'
import type { Rng } from '../numeric/rng.ts'
import { countSteps } from './count-steps.ts'
import { crossEntropy, type LossAndGradient } from './cross-entropy.ts'
import type { Optimizer, OptimizerSettings, OptimizerState } from './optimizer-settings.ts'
import {
  createGradientTerms,
  type GradientTermOptions,
  type GradientTerms,
} from './gradient-terms.ts'
import { createOptimizer } from './optimizer.ts'
import { createYielder } from './yielder.ts'

/**
 * The loss of a batch, and where it leads. Called in `tf.tidy`.
 * @param batch indices of its examples, in the order of the logits
 */
export type LossFunction = (logits: tf.Tensor2D, batch: Int32Array) => LossAndGradient

/** What an epoch learns. */
export interface EpochTask {
  readonly examples: ExampleSet
  /** @default mean softmax cross-entropy with the examples' labels */
  readonly loss?: LossFunction
}

export interface FitOptions extends OptimizerSettings, GradientTermOptions {
  readonly epochs: number
  /** Examples a step; the last step of an epoch takes what is left. */
  readonly batchSize: number
  /** Shuffles the examples of each epoch and draws dropout masks. */
  readonly rng: Rng
  /** @default mean softmax cross-entropy with the examples' labels */
  readonly loss?: LossFunction
  /** In place of `loss` and of the examples that `fit` is given, of which each task has as many. @param epoch 1-based */
  readonly curriculum?: (epoch: number) => EpochTask
  /**
   * Called after each epoch, with the model as it is then; it must leave it so.
   * @param epoch 1-based
   * @returns false to end the training here
   */
  readonly onEpoch?: (epoch: number) => boolean | Promise<boolean>
  /**
   * Added to the logits in the default loss, [class]: logit adjustment, which keeps a network from learning how
   * frequent the classes are in its examples. Menon et al. 2021 (arXiv 2007.07314), equation 10 with tau = 1.
   * @default nothing
   */
  readonly logPriors?: Float32Array
  /** Share of the learning rate at a step, counted over all epochs from 0. @default all of it */
  readonly schedule?: (step: number) => number
  /** Called after each step; keep it short. */
  readonly onProgress?: (progress: FitProgress) => void
  /** Once aborted, `fit` rejects with its reason, after a whole step: the model keeps what it learnt. */
  readonly signal?: AbortSignal
  /** Called every so many steps with all that `resumeFrom` needs. */
  readonly checkpoint?: {
    readonly everySteps: number
    readonly save: (state: FitState) => void | Promise<void>
  }
  /** Goes on from a checkpoint: with the same options it ends with the same bytes as an uncut run. */
  readonly resumeFrom?: FitState
}

export interface FitProgress {
  /** 1-based. */
  readonly epoch: number
  readonly epochs: number
  /** Steps done and to do, over all epochs. */
  readonly step: number
  readonly steps: number
  /** Mean loss of the epoch so far, over its examples. */
  readonly loss: number
}

/** A training run between two steps, outside of any tensor. */
export interface FitState {
  /** Steps done, over all epochs. */
  readonly step: number
  /** Sum of the losses of the current epoch's examples so far. */
  readonly lossSum: number
  readonly weights: Weights
  readonly optimizer: OptimizerState
}

export interface FitResult {
  /** Steps done, over all epochs, with those before `resumeFrom`. */
  readonly steps: number
  /**
   * Mean loss over the examples of the last epoch, each taken when its batch was trained on; without the
   * terms that are added to the gradient.
   */
  readonly loss: number
}

/**
 * Trains a model: the one loop of clients and of proxy tuning. Same model, examples, options and engine:
 * same bytes. Lets other work on the event loop run every few milliseconds.
 *
 * @param model borrowed; its weights change
 * @throws GraftError GRAFT_NOT_FINITE when the loss stops being a number; the model keeps its last weights
 * @throws GraftError GRAFT_LAYER_UNSUPPORTED naming a layer that cannot be trained; GRAFT_SHAPE_MISMATCH for
 *   terms of the gradient that do not fit the model
 * @throws RangeError without examples, or for a checkpoint of another optimiser
 */
export async function fit(
  model: tf.LayersModel,
  examples: ExampleSet,
  options: FitOptions,
): Promise<FitResult> {
  const { epochs, batchSize, rng, resumeFrom, checkpoint, onEpoch, signal } = options
  const always: EpochTask = { examples, ...(options.loss && { loss: options.loss }) }
  const { curriculum = () => always } = options
  const size = examples.labels.length
  if (size === 0) throw new RangeError('fit needs at least one example')
  if (resumeFrom !== undefined) writeWeights(model, resumeFrom.weights)
  const graph = poolEarly(opGraphOf(model))
  const variables = new Map(modelVariables(model).map(({ name, variable }) => [name, variable]))
  const trainable = trainableWeights(graph)
  const shapes = trainable.map((name) => ({ name, shape: variables.get(name)!.shape as number[] }))
  const terms = createGradientTerms(options, shapes)
  const optimizer = await createOptimizer(
    trainable.map((name) => variables.get(name)!),
    options,
    resumeFrom?.optimizer,
  )
  const breathe = createYielder()
  const stepsAnEpoch = countSteps(size, { epochs: 1, batchSize })
  const steps = countSteps(size, options)
  let step = resumeFrom?.step ?? 0
  let lossSum = resumeFrom?.lossSum ?? 0
  let order: Int32Array | undefined
  let task = always
  try {
    while (step < steps) {
      signal?.throwIfAborted()
      const [epoch, position] = [Math.floor(step / stepsAnEpoch), (step % stepsAnEpoch) * batchSize]
      if (position === 0) lossSum = 0
      if (order === undefined || position === 0) {
        order = epochOrder(rng, size, epoch)
        task = curriculum(epoch + 1)
      }
      const batch = order.slice(position, position + batchSize)
      const loss = await trainStep(
        { graph, variables, trainable, optimizer, terms, task, batch },
        options,
        step,
      )
      lossSum += loss * batch.length
      step++
      const done = Math.min(position + batchSize, size)
      options.onProgress?.({ epoch: epoch + 1, epochs, step, steps, loss: lossSum / done })
      if (checkpoint !== undefined && step % checkpoint.everySteps === 0) {
        optimizer.store()
        const [weights, state] = [await readWeights(model), await optimizer.state()]
        await checkpoint.save({ step, lossSum, weights, optimizer: state })
      }
      if (onEpoch !== undefined && step % stepsAnEpoch === 0) {
        optimizer.store()
        if (!(await onEpoch(epoch + 1))) break
      }
      await breathe()
    }
  } finally {
    optimizer.store()
    optimizer.dispose()
    terms?.dispose()
  }
  return { steps: step, loss: lossSum / size }
}

interface StepInput {
  readonly graph: OpGraph
  /** Weights of the model, by name; the optimizer holds newer values of the trainable ones. */
  readonly variables: ReadonlyMap<string, tf.LayerVariable>
  /** Names, in the order of the optimizer's weights. */
  readonly trainable: readonly string[]
  readonly optimizer: Optimizer
  readonly terms: GradientTerms | null
  readonly task: EpochTask
  /** Indices of the examples. */
  readonly batch: Int32Array
}

async function trainStep(
  { graph, variables, trainable, optimizer, terms, task, batch }: StepInput,
  { logPriors, rng, schedule }: FitOptions,
  step: number,
): Promise<number> {
  const { examples, loss: lossOf } = task
  const [loss, ...gradients] = tf.tidy(() => {
    const shape = [batch.length, ...examples.inputShape]
    const x = tf.tensor(examples.inputs(batch), shape, 'float32')
    const values = optimizer.weights()
    const current = new Map(trainable.map((name, i) => [name, values[i]!]))
    const weights = (name: string) => current.get(name) ?? variables.get(name)!.read()
    const training = {
      rng: rng.split(`step/${step}`),
      onMoved: (name: string, value: tf.Tensor) => variables.get(name)!.write(value),
    }
    const pass = forward(graph, x, weights, { training })
    const logits = pass.outputs.at(-1) as tf.Tensor2D
    const { loss, dLogits } =
      lossOf === undefined
        ? crossEntropy(adjust(logits, logPriors), labelsOf(examples, batch))
        : lossOf(logits, batch)
    const gradients = pass.backward(dLogits).weights
    return [loss, ...(terms?.add(gradients, values) ?? gradients)]
  })
  try {
    const value = (await loss.data())[0] ?? NaN
    if (!Number.isFinite(value)) {
      throw new GraftError('GRAFT_NOT_FINITE', `The loss of step ${step + 1} is ${value}.`)
    }
    await optimizer.apply(gradients, schedule?.(step))
    return value
  } finally {
    tf.dispose([loss, ...gradients])
  }
}

/** The gradient by the adjusted logits is the gradient by the logits. */
function adjust(logits: tf.Tensor2D, logPriors: Float32Array | undefined): tf.Tensor2D {
  return logPriors === undefined ? logits : tf.add(logits, logPriors)
}

/** Depends on the epoch alone, so that a resumed run sees the examples in the same order. */
function epochOrder(rng: Rng, size: number, epoch: number): Int32Array {
  const inOrder = Array.from({ length: size }, (_, i) => i)
  return Int32Array.from(rng.split(`epoch/${epoch}`).shuffle(inOrder))
}

function labelsOf({ labels }: ExampleSet, batch: Int32Array): Int32Array {
  return batch.map((index) => labels[index]!)
}

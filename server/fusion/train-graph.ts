import * as tf from '@tensorflow/tfjs'
import { forward, type OpGraph, run, trainableWeights } from '../../shared/model/op-graph.ts'
import type { Rng } from '../../shared/numeric/rng.ts'
import { cosineDecay } from '../../shared/training/cosine-decay.ts'
import { createOptimizer } from '../../shared/training/optimizer.ts'
import { createYielder } from '../../shared/training/yielder.ts'
import type { EngineWeights } from './engine-weights.ts'

/** A loss of a batch, and where it leads. */
export interface BatchLoss {
  readonly loss: tf.Scalar
  /** d loss / d output, of the output's shape. */
  readonly dOutput: tf.Tensor
}

/** Inputs and what the network should make of them; the tensors belong to whoever asked. */
export interface Batch {
  readonly x: tf.Tensor
  readonly target: tf.Tensor
}

export interface GraphTraining {
  readonly ops: OpGraph
  /** Borrowed; trainable weights of `ops` change, and moving statistics. */
  readonly weights: EngineWeights
  /** What is learnt from, shuffled for each epoch. */
  readonly examples: readonly number[]
  readonly batchSize: number
  /** Called in `tf.tidy`. @param examples some of `examples` */
  readonly batch: (examples: readonly number[]) => Batch
  /** Called in `tf.tidy`. */
  readonly loss: (output: tf.Tensor, target: tf.Tensor) => BatchLoss
  /** What decides which weights are kept; nothing is learnt from it. Borrowed. */
  readonly heldOut: Batch
  readonly epochs: number
  /** Epochs without a smaller held-out loss after which training ends. */
  readonly patience: number
  /** Of Adam, in the first epoch; falls to nothing along half a cosine. */
  readonly learningRate: number
  readonly rng: Rng
  readonly signal?: AbortSignal
}

/**
 * Trains a network, or part of one, on tensors, and leaves it with the weights of the epoch that had the
 * smallest held-out loss; the start counts as one.
 *
 * @returns held-out loss of the weights that are kept, and of the start
 */
export async function trainGraph(
  training: GraphTraining,
): Promise<{ best: number; start: number }> {
  const { ops, weights, heldOut, epochs, patience, signal } = training
  const { examples, batchSize, batch, rng } = training
  const stepsAnEpoch = Math.max(1, Math.ceil(examples.length / batchSize))
  const start = await judge(training)
  let best = { loss: start, epoch: 0, values: await snapshot(training) }
  const names = trainableWeights(ops)
  const variables = names.map((name) => ({
    shape: weights.source(name).shape,
    read: () => weights.source(name),
    write: (value: tf.Tensor) => weights.set(name, value.clone()),
  }))
  const settings = { optimizer: 'adam', learningRate: training.learningRate } as const
  const optimizer = await createOptimizer(variables, settings)
  const shareAt = cosineDecay(epochs * stepsAnEpoch)
  const breathe = createYielder()
  try {
    for (let epoch = 1; epoch <= epochs && epoch - best.epoch <= patience; epoch++) {
      const shuffled = rng.split(`epoch ${epoch - 1}`).shuffle(examples)
      for (let step = 0; step < stepsAnEpoch; step++) {
        signal?.throwIfAborted()
        const at = (epoch - 1) * stepsAnEpoch + step
        const some = shuffled.slice(step * batchSize, (step + 1) * batchSize)
        const input = { names, optimizer, at, share: shareAt(at), batch: () => batch(some) }
        await trainStep(training, input)
        await breathe()
      }
      optimizer.store()
      const loss = await judge(training)
      if (loss < best.loss) {
        best.values.forEach((value) => value.dispose())
        best = { loss, epoch, values: await snapshot(training) }
      }
    }
  } finally {
    optimizer.dispose()
    best.values.forEach((value, name) => weights.set(name, value))
  }
  return { best: best.loss, start }

  async function snapshot({ ops, weights }: GraphTraining): Promise<Map<string, tf.Tensor>> {
    const all = ops.nodes.flatMap(({ op }) => op.weights.map(({ name }) => name))
    return new Map(all.map((name) => [name, tf.keep(weights.source(name).clone())]))
  }

  async function judge({ ops, weights, loss }: GraphTraining): Promise<number> {
    const value = tf.tidy(() => {
      const [output] = run(ops, heldOut.x, weights.source)
      return loss(output!, heldOut.target).loss
    })
    try {
      return (await value.data())[0]!
    } finally {
      value.dispose()
    }
  }
}

interface StepInput {
  readonly names: readonly string[]
  readonly optimizer: Awaited<ReturnType<typeof createOptimizer>>
  readonly at: number
  /** Of the learning rate. */
  readonly share: number
  readonly batch: () => Batch
}

async function trainStep(
  { ops, weights, loss, rng }: GraphTraining,
  { names, optimizer, at, share, batch }: StepInput,
): Promise<void> {
  const gradients = tf.tidy(() => {
    const { x, target } = batch()
    const values = optimizer.weights()
    const current = new Map(names.map((name, i) => [name, values[i]!]))
    const source = (name: string) => current.get(name) ?? weights.source(name)
    const training = {
      rng: rng.split(`step/${at}`),
      onMoved: (name: string, value: tf.Tensor) => weights.set(name, value.clone()),
    }
    const pass = forward(ops, x, source, { training })
    return pass.backward(loss(pass.outputs.at(-1)!, target).dOutput).weights
  })
  try {
    await optimizer.apply(gradients, share)
  } finally {
    tf.dispose(gradients)
  }
}

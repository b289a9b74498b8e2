import * as tf from '@tensorflow/tfjs'
import type { NeuronGraph } from '../../shared/model/neuron-graph.ts'
import { run } from '../../shared/model/op-graph.ts'
import type { Weights } from '../../shared/model/weights.ts'
import type { Rng } from '../../shared/numeric/rng.ts'
import { classShares } from './class-shares.ts'
import { type EngineWeights, toEngine } from './engine-weights.ts'
import { runInBatches } from './level-walk.ts'
import { mixedInputs } from './mixed-inputs.ts'
import type { Parent } from './strategy.ts'
import { type BatchLoss, trainGraph } from './train-graph.ts'

export interface DistilInput {
  readonly graph: NeuronGraph
  readonly parents: readonly Parent[]
  /** Where the pupil starts. */
  readonly start: Weights
  /** Inputs of the proxy set, [example, ...]; borrowed. */
  readonly x: tf.Tensor
  /** Mixtures of two inputs for each input. */
  readonly mixtures: number
  readonly epochs: number
  readonly learningRate: number
  readonly rng: Rng
  readonly signal?: AbortSignal
}

const BATCH_SIZE = 64
const PATIENCE = 8

/**
 * Teaches one network what the ensemble of the parents says of the proxy inputs and of mixtures of them:
 * probabilities weighed by class shares. Needs no labels. Distillation: Hinton et al. 2015, arXiv 1503.02531.
 *
 * @returns fresh weights, never worse than the start on held-out mixtures
 */
export async function distilEnsemble(input: DistilInput): Promise<Weights> {
  const { graph, parents, x, mixtures, epochs, rng, signal } = input
  const count = x.shape[0]! * mixtures
  const mixed = mixedInputs(x, count, rng.split('mixtures'))
  const all = tf.concat([x, mixed])
  const heldOutX = mixedInputs(x, Math.min(count, 1000), rng.split('held-out'))
  mixed.dispose()
  const teacher = await ensembleProbabilities(graph, parents, all)
  const heldOutTarget = await ensembleProbabilities(graph, parents, heldOutX)
  const weights: EngineWeights = toEngine(input.start)
  const size = all.shape[0]!
  const stepsAnEpoch = Math.ceil(size / BATCH_SIZE)
  const rows = Array.from({ length: size }, (_, i) => i)
  let shuffled: readonly number[] = rows
  try {
    await trainGraph({
      ops: graph.ops,
      weights,
      batch(step) {
        const at = step % stepsAnEpoch
        if (at === 0) shuffled = rng.split(`epoch ${step / stepsAnEpoch}`).shuffle(rows)
        const own = shuffled.slice(at * BATCH_SIZE, (at + 1) * BATCH_SIZE)
        const chosen = tf.tensor1d(Int32Array.from(own), 'int32')
        return { x: tf.gather(all, chosen), target: tf.gather(teacher, chosen) }
      },
      loss: softLoss,
      heldOut: { x: heldOutX, target: heldOutTarget },
      stepsAnEpoch,
      epochs,
      patience: PATIENCE,
      learningRate: input.learningRate,
      rng: rng.split('train'),
      ...(signal && { signal }),
    })
    return await weights.read()
  } finally {
    weights.dispose()
    tf.dispose([all, heldOutX, teacher, heldOutTarget])
  }
}

/** Probabilities of all parents together, weighed by class shares, [example, class]; the caller owns them. */
export async function ensembleProbabilities(
  graph: NeuronGraph,
  parents: readonly Parent[],
  x: tf.Tensor,
): Promise<tf.Tensor2D> {
  const shares = classShares(parents.map(({ classCounts }) => classCounts))
  let sum: tf.Tensor | undefined
  for (const [k, parent] of parents.entries()) {
    const weights = toEngine(await parent.load())
    try {
      const [logits] = await runInBatches(x, (batch) => run(graph.ops, batch, weights.source))
      const next = tf.tidy(() => {
        const own = tf.mul(tf.softmax(logits!), tf.tensor1d(Float32Array.from(shares[k]!)))
        return sum === undefined ? own : tf.add(sum, own)
      })
      sum?.dispose()
      logits!.dispose()
      sum = next
    } finally {
      weights.dispose()
    }
  }
  const normalised = tf.tidy(() => tf.div(sum!, tf.sum(sum!, 1, true))) as tf.Tensor2D
  sum!.dispose()
  return normalised
}

/** Mean cross-entropy with soft targets, and its gradient (softmax(z) - q) / n. */
function softLoss(logits: tf.Tensor, target: tf.Tensor): BatchLoss {
  const n = logits.shape[0]!
  const logProbabilities = tf.logSoftmax(logits)
  return {
    loss: tf.div(tf.sum(tf.mul(logProbabilities, target)), -n) as tf.Scalar,
    dOutput: tf.div(tf.sub(tf.exp(logProbabilities), target), n),
  }
}

import * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { subset } from '../../shared/data/subset.ts'
import { GraftError } from '../../shared/errors.ts'
import type { Rng } from '../../shared/numeric/rng.ts'
import { pickRows, softmaxRows } from '../../shared/numeric/rows.ts'
import { predictWith } from '../../shared/training/predict.ts'
import { toEngine } from './engine-weights.ts'
import { fedavg } from './fedavg.ts'
import { inIdOrder } from './parents.ts'
import { proxyExamples } from './proxy-inputs.ts'
import { chooseOptions } from './strategy-options.ts'
import type { Fusion, FusionInput, Strategy } from './strategy.ts'
import { type Batch, type BatchLoss, trainGraph } from './train-graph.ts'

const OPTIONS = {
  /** Step size of Adam. */
  rate: ['1e-3', '1e-4', '3e-4', '3e-3'],
  /** Most steps; the paper's first. */
  steps: ['10000', '100', '300', '1000', '3000'],
} as const

const BATCH_SIZE = 128
/** Steps without a smaller held-out loss after which training ends. */
const PATIENCE = 1000
/** Share of the examples that decides when to stop. */
const HELD_OUT = 0.2

/**
 * Ensemble distillation: the average of the weights, trained on the proxy set without labels to give the
 * probabilities that the mean of the parents' logits gives, by
 * `KL(softmax(1/K sum_k f(w_k, d)), softmax(f(w, d)))`. FedDF, Lin et al. 2020 (arXiv 2006.07242),
 * Algorithm 1, lines 7 to 11, for parents of one architecture. Adam with cosine annealing, batches of 128, at
 * most 10,000 steps, as in the paper's section 4.1.
 *
 * The paper stops early by a labelled validation set; we by the same divergence on a fifth of the examples, so
 * that no label is read. The average counts as a candidate. The `distill` mode of tuning differs: it weighs
 * parents by class shares, matches logits, on moved and mixed images.
 */
export const feddf: Strategy = {
  name: 'feddf',
  holds: 'networks',
  summary: 'mean of the weights, distilled from the parents’ mean logits on the proxy set',
  paper: 'arXiv 2006.07242, Algorithm 1',
  options: OPTIONS,
  fuse,
}

async function fuse(input: FusionInput): Promise<Fusion> {
  const { rate, steps } = chooseOptions('feddf', OPTIONS, input.options)
  const { graph, signal, onProgress } = input
  const rng = input.rng.split('feddf')
  const { learnt, heldOut } = splitExamples(input, rng.split('held-out'))
  const [targets, heldOutTargets] = await meanProbabilities(input, [learnt, heldOut])
  onProgress?.('distilling')
  const average = await fedavg.fuse({ ...input, options: {} })
  const stepsAnEpoch = Math.ceil(learnt.labels.length / BATCH_SIZE)
  const student = toEngine(average.weights)
  const judge = batchOf(heldOut, heldOutTargets!, [...heldOut.labels.keys()])
  try {
    const { start, best } = await trainGraph({
      ops: graph.ops,
      weights: student,
      examples: [...learnt.labels.keys()],
      batchSize: BATCH_SIZE,
      batch: (examples) => batchOf(learnt, targets!, examples),
      loss: divergence,
      heldOut: judge,
      epochs: Math.ceil(Number(steps) / stepsAnEpoch),
      patience: Math.ceil(PATIENCE / stepsAnEpoch),
      learningRate: Number(rate),
      rng,
      ...(signal && { signal }),
    })
    return {
      weights: await student.read(),
      ledger: average.ledger,
      reason:
        `feddf brought the average of the weights from ${start.toFixed(4)} to ${best.toFixed(4)} nats ` +
        `away from the parents’ mean logits, on ${heldOut.labels.length} proxy examples that it did not learn.`,
    }
  } finally {
    student.dispose()
    tf.dispose([judge.x, judge.target])
  }
}

/**
 * Mean over the rows of KL(p, q) = sum_c p_c (log p_c - log q_c) with q = softmax(z), and its gradient
 * (q - p) / n. Call it in `tf.tidy`.
 *
 * @param logits z, [row, class]; borrowed
 * @param target p, probabilities, [row, class]; borrowed
 */
export function divergence(logits: tf.Tensor, target: tf.Tensor): BatchLoss {
  const n = target.shape[0]
  const logQ = tf.logSoftmax(logits)
  // 0 log 0 is 0: a probability that float32 has as 0 is raised in the logarithm alone.
  const logP = tf.log(tf.maximum(target, SMALLEST))
  return {
    loss: tf.div(tf.sum(tf.mul(target, tf.sub(logP, logQ))), n),
    dOutput: tf.div(tf.sub(tf.exp(logQ), target), n),
  }
}

const SMALLEST = 1e-37

function splitExamples(
  input: FusionInput,
  rng: Rng,
): { readonly learnt: ExampleSet; readonly heldOut: ExampleSet } {
  const examples = proxyExamples(input, { strategy: 'feddf', count: Infinity, rng })
  const size = examples.labels.length
  if (size < 2) {
    throw new GraftError(
      'GRAFT_OPTION_INVALID',
      `feddf learns from one part of the proxy set and stops by another, and there is ${size} example.`,
    )
  }
  const order = rng.shuffle([...examples.labels.keys()])
  const numHeldOut = Math.max(1, Math.round(size * HELD_OUT))
  return {
    learnt: subset(examples, order.slice(numHeldOut)),
    heldOut: subset(examples, order.slice(0, numHeldOut)),
  }
}

/**
 * softmax(1/K sum_k z_k) of each set, each parent counting alike; a parent is loaded once, one at a time.
 * @returns [example, class] of each set, row-major
 */
async function meanProbabilities(
  { graph, signal, onProgress, ...input }: FusionInput,
  sets: readonly ExampleSet[],
): Promise<Float32Array[]> {
  const parents = inIdOrder(input.parents)
  const sums = sets.map(({ labels, numClasses }) => new Float64Array(labels.length * numClasses))
  for (const parent of parents) {
    signal?.throwIfAborted()
    onProgress?.(`asking ${parent.id}`)
    const onEngine = toEngine(await parent.load())
    try {
      for (const [set, examples] of sets.entries()) {
        const logits = await predictWith(graph.ops, onEngine.source, examples)
        const sum = sums[set]!
        for (let i = 0; i < sum.length; i++) sum[i]! += logits[i]! / parents.length
      }
    } finally {
      onEngine.dispose()
    }
  }
  return sums.map((logits, set) => softmaxRows(Float32Array.from(logits), sets[set]!.numClasses))
}

/** The caller owns the tensors. */
function batchOf(examples: ExampleSet, targets: Float32Array, indices: readonly number[]): Batch {
  const { numClasses, inputShape } = examples
  const shape = [indices.length, ...inputShape]
  return {
    x: tf.tensor(examples.inputs(indices), shape, 'float32'),
    target: tf.tensor2d(pickRows(targets, numClasses, indices), [indices.length, numClasses]),
  }
}

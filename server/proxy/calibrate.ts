import type * as tf from '@tensorflow/tfjs'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { headGroup, neuronGraph } from '../../shared/model/neuron-graph.ts'
import { type Weights, writeWeights } from '../../shared/model/weights.ts'
import { type Evaluation, evaluate } from '../../shared/training/evaluate.ts'
import { predict } from '../../shared/training/predict.ts'

/** A few held-out examples may ask for far less; what is too sure for one step is softened again in the next round. */
const SMALLEST_SCALE = 0.5
/** Halvings of the interval in which the scale lies: to 1e-6 of it. */
const HALVINGS = 20

/** A network and how good it is on the held-out examples. */
interface Judged {
  readonly weights: Weights
  readonly heldOut: Evaluation
}

/**
 * Softens a network that is surer than it should be: its logits are multiplied by the scale, from 1/2 to 1, that makes
 * its held-out loss smallest, in the kernel and the bias of its head. Which class it chooses, and so its
 * accuracy, stays. Temperature scaling with T = 1/scale, Guo et al. 2017 (arXiv 1706.04599), section 4.2; here also
 * for what follows: clients train on from this network, and of logits that grow from round to round
 * they learn less and less (ARCHITECTURE.md, "Tuning ends with temperature scaling").
 *
 * @param model holds the network's weights; ends with those that are returned
 * @returns what was given when it is not too sure, or when its head is not a plain product with a bias
 */
export async function calibrate<Network extends Judged>(
  model: tf.LayersModel,
  network: Network,
  heldOut: ExampleSet,
): Promise<Network> {
  const head = headGroup(neuronGraph(model))
  if (!head.axes.every(({ role }) => role === 'kernel' || role === 'bias')) return network
  const scale = fitScale(await predict(model, heldOut), heldOut)
  if (scale === 1) return network
  const names = new Set(head.axes.map(({ weight }) => weight))
  const weights = scaled(network.weights, names, scale)
  writeWeights(model, weights)
  return { ...network, weights, heldOut: await evaluate(model, heldOut) }
}

/** The scale of the smallest mean cross-entropy, which is convex in it. @param logits [size, numClasses], row-major */
export function fitScale(logits: Float32Array, examples: ExampleSet): number {
  if (lossSlope(logits, examples, 1) <= 0) return 1
  if (lossSlope(logits, examples, SMALLEST_SCALE) >= 0) return SMALLEST_SCALE
  let [low, high] = [SMALLEST_SCALE, 1]
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2
    if (lossSlope(logits, examples, middle) > 0) high = middle
    else low = middle
  }
  return high
}

/** Derivative of the summed cross-entropy by the scale: what the logits are expected to be, less that of the class. */
function lossSlope(
  logits: Float32Array,
  { labels, numClasses }: ExampleSet,
  scale: number,
): number {
  let slope = 0
  for (const [i, label] of labels.entries()) {
    const row = logits.subarray(i * numClasses, (i + 1) * numClasses)
    const largest = row.reduce((most, logit) => Math.max(most, logit), -Infinity)
    let [sum, expected] = [0, 0]
    for (const logit of row) {
      const weight = Math.exp(scale * (logit - largest))
      sum += weight
      expected += weight * logit
    }
    slope += expected / sum - row[label]!
  }
  return slope
}

function scaled(weights: Weights, names: ReadonlySet<string>, scale: number): Weights {
  return weights.map((tensor) =>
    names.has(tensor.name)
      ? { ...tensor, data: tensor.data.map((value) => value * scale) }
      : tensor,
  )
}

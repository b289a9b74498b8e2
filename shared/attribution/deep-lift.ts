import * as tf from '@tensorflow/tfjs'
import { forward, type ForwardPass, NETWORK_INPUT } from '../model/op-graph.ts'
import { assertScalesInput } from './assert-scales-input.ts'
import { type ScoredBatch, scoreNeurons } from './score-neurons.ts'
import type { ScoredNetwork, Scorer, ScorerOptions } from './scorer.ts'

/** Where an input moves less than this, its gradient stands in for the quotient of differences. */
const TINY = 1e-10

export interface DeepLiftOptions extends ScorerOptions {
  /**
   * `separated` applies the rule everywhere. `captum` does as captum 0.7 and 0.8, whose tensor hooks run
   * in such an order that a max pooling straight behind a relu passes it the plain gradient.
   * @default 'separated'
   */
  readonly pooling?: 'separated' | 'captum'
}

/**
 * DeepLIFT, rescale rule (Shrikumar et al. 2017, arXiv:1704.02685, section 3.5.2), baseline zero input:
 * (f_u(x) - f_u(0)) times the multiplier of u. Activations and max pooling pass on the quotient of their
 * differences; layer normalisation, attention and products of maps, which the paper gives no rule for,
 * their gradient.
 */
export const deepLift: Scorer<DeepLiftOptions> = {
  name: 'deeplift',
  summary:
    'how much of the logit’s distance from the zero input a neuron makes (Shrikumar et al. 2017)',
  async score(network, examples, options) {
    assertScalesInput(network.graph, 'deeplift')
    return scoreNeurons(network, examples, { ...options, copies: 2 }, (batch) =>
      tf.tidy(() => deepLiftContributions(network, batch, options)),
    )
  },
}

/** Signed contributions, one tensor [example, ..., channel] a node. Call it in `tf.tidy`. */
export function deepLiftContributions(
  { graph, weights }: ScoredNetwork,
  { x, labels, nodes }: ScoredBatch,
  { pooling = 'separated' }: DeepLiftOptions = {},
): tf.Tensor[] {
  // Examples first, then as many zero inputs.
  const both = tf.concat([x, tf.zerosLike(x)])
  const pass = forward(graph.ops, both, weights)
  const outputOf = (node: number) => (node === NETWORK_INPUT ? both : pass.outputs[node]!)
  /** What captum leaves out at relus in front of a max pooling. */
  const leftOut = new Map<number, tf.Tensor>()

  const rule = (node: number, dy: tf.Tensor): tf.Tensor[] | undefined => {
    const { op, inputs } = graph.ops.nodes[node]!
    if (!['relu', 'activation', 'max-pool'].includes(op.kind)) return undefined
    const [input = NETWORK_INPUT] = inputs
    const ends = { x: outputOf(input), y: outputOf(node) }
    const back = (gradient: tf.Tensor) => pass.back(node, gradient)[0]!
    if (op.kind !== 'max-pool') return [rescaled(dy, ends, back)]
    const multiplier = rescaledPool(dy, ends, back)
    if (pooling === 'separated' || graph.ops.nodes[input]?.op.kind !== 'relu') return [multiplier]
    const plain = back(dy)
    const before = leftOut.get(input) ?? tf.zerosLike(plain)
    leftOut.set(input, tf.add(before, tf.sub(multiplier, plain)))
    return [plain]
  }
  const dLogits = tf.tile(labels, [2, 1])
  const multipliers = pass.backward(dLogits, { wants: (node) => nodes.includes(node), rule })
  return nodes.map((node) => {
    const passedOn = multipliers.outputs.get(node)!
    const rest = leftOut.get(node)
    const multiplier = rest === undefined ? passedOn : tf.add(passedOn, rest)
    return tf.mul(difference(pass.outputs[node]!), tf.split(multiplier, 2)[0]!)
  })
}

interface Ends {
  readonly x: tf.Tensor
  readonly y: tf.Tensor
}

type Back = (dy: tf.Tensor) => ReturnType<ForwardPass['back']>[number]

/** dy times (y - y0) / (x - x0), in both halves of the batch. */
function rescaled(dy: tf.Tensor, { x, y }: Ends, back: Back): tf.Tensor {
  const [dx, dOut] = [difference(x), difference(y)].map((half) => tf.concat([half, half]))
  return quotientOr(tf.mul(dy, dOut!), dx!, back(dy))
}

/**
 * Through a max pooling: what the sample's maximum gained over the baseline's goes to its place, what the
 * baseline's had over the sample's to the place of that.
 */
function rescaledPool(dy: tf.Tensor, { x, y }: Ends, back: Back): tf.Tensor {
  const [sample, baseline] = tf.split(y, 2)
  const largest = tf.maximum(sample!, baseline!)
  const moved = tf.concat([tf.sub(largest, baseline!), tf.sub(sample!, largest)])
  const [toSample, toBaseline] = tf.split(back(tf.mul(dy, moved)), 2)
  const sum = tf.add(toSample!, toBaseline!)
  const dx = difference(x)
  return quotientOr(tf.concat([sum, sum]), tf.concat([dx, dx]), back(dy))
}

function quotientOr(numerator: tf.Tensor, dx: tf.Tensor, gradient: tf.Tensor): tf.Tensor {
  const isTiny = tf.less(tf.abs(dx), TINY)
  const safe = tf.where(isTiny, tf.onesLike(dx), dx)
  return tf.where(isTiny, gradient, tf.div(numerator, safe))
}

/** First half of a batch minus its second half. */
function difference(values: tf.Tensor): tf.Tensor {
  const [sample, baseline] = tf.split(values, 2)
  return tf.sub(sample!, baseline!)
}

import * as tf from '@tensorflow/tfjs'
import {
  forward,
  type ForwardPass,
  NETWORK_INPUT,
  type OpGraph,
  type WeightSource,
} from '../model/op-graph.ts'
import { columnSums, type Op } from '../model/ops/op.ts'
import { assertScalesInput } from './assert-scales-input.ts'
import { type ScoredBatch, scoreNeurons } from './score-neurons.ts'
import type { ScoredNetwork, Scorer } from './scorer.ts'

/**
 * The 11 Gauss-Legendre nodes mapped to [0, 1], where captum's quadrature for 10 steps puts the path
 * points. Like captum, conductance uses the nodes and never their weights.
 */
export const PATH_NODES = [
  0.010885670926971514, 0.05646870011595234, 0.13492399721297532, 0.2404519353965941,
  0.36522842202382755, 0.5, 0.6347715779761725, 0.7595480646034058, 0.8650760027870247,
  0.9435312998840477, 0.9891143290730284,
] as const

const AFFINE: ReadonlySet<Op['kind']> = new Set([
  'kernel',
  'bias',
  'batch-norm',
  'flatten',
  'reshape',
])

/**
 * Layer conductance (Dhamdhere et al. 2018, arXiv:1805.12233, equation 3) as the neuron interpolation
 * paper measures it: the share of the true label's logit that flows through a neuron on the way from
 * the zero input to x,
 *
 *   c_u(x) = sum_k (f_u(a_{k+1} x) - f_u(a_k x)) dlogit/df_u at a_k x,
 *
 * taken absolute for each example and position, summed over positions and averaged over examples.
 */
export const conductance: Scorer = {
  name: 'conductance',
  summary: 'how much of the true label’s logit flows through a neuron (Dhamdhere et al. 2018)',
  async score(network, examples, options) {
    assertScalesInput(network.graph, 'conductance')
    return scoreNeurons(network, examples, { ...options, copies: PATH_NODES.length }, (batch) =>
      tf.tidy(() => pathConductance(network, batch)),
    )
  },
}

/**
 * Signed conductance c of every position, one tensor [example, ..., channel] a node. Call it in `tf.tidy`.
 * All path points run as one batch, and one way back gives the gradients at all levels.
 */
export function pathConductance(
  { graph, weights }: ScoredNetwork,
  { x, labels, nodes }: ScoredBatch,
): tf.Tensor[] {
  const numExamples = x.shape[0]
  const pass = forwardAlongPath(graph.ops, { x, weights, until: nodes[0]! })
  const dLogits = tf.tile(labels, [PATH_NODES.length, 1]) // [point * example, class]
  const gradients = pass.backward(dLogits, { wants: (node) => nodes.includes(node) }).outputs
  const steps = PATH_NODES.length - 1
  const rows = steps * numExamples
  return nodes.map((node) => {
    const f = pass.outputs[node]! // [point * example, ..., channel]
    const rest = f.shape.slice(1)
    const from = (row: number, values: tf.Tensor) =>
      tf.slice(values, [row, ...rest.map(() => 0)], [rows, ...rest]) // [step * example, ..., channel]
    const moved = tf.sub(from(numExamples, f), from(0, f))
    const flow = tf.mul(moved, from(0, gradients.get(node)!)) // gradient at the left points
    return tf.reshape(columnSums(tf.reshape(flow, [steps, -1])), [numExamples, ...rest])
  })
}

/**
 * A forward pass at all path points, [point * example, ...]. A straight line stays one through affine
 * ops, f(a x) = f(0) + a (f(x) - f(0)), so the first of them run at x and zero alone: a dense layer on
 * images costs a tenth of what it would at all points.
 *
 * @param until no later than this node the path must have been laid out
 */
function forwardAlongPath(
  ops: OpGraph,
  { x, weights, until }: { x: tf.Tensor; weights: WeightSource; until: number },
): ForwardPass {
  const ends = tf.concat([x, tf.zerosLike(tf.slice(x, 0, 1))]) // [example + 1, ...input]
  const last = lastAffine(ops, until)
  if (last === undefined) return forward(ops, pathBetween(ends), weights)
  const node = ops.nodes[last]!
  const laidOut: Op = {
    ...node.op,
    forward: (...read) => ({
      y: pathBetween(node.op.forward(...read).y),
      back() {
        throw new RangeError(`nothing is asked for before the path begins at ${node.op.layer}`)
      },
    }),
  }
  return forward({ nodes: ops.nodes.with(last, { ...node, op: laidOut }) }, ends, weights)
}

/** The last node of the chain of affine ops that the network begins with and that nothing passes by. */
function lastAffine({ nodes }: OpGraph, until: number): number | undefined {
  let last: number | undefined
  for (let node = 0; node <= until; node++) {
    const { op, inputs } = nodes[node]!
    const isNext = inputs.length === 1 && inputs[0] === (node === 0 ? NETWORK_INPUT : node - 1)
    if (!isNext || !AFFINE.has(op.kind)) break
    if (nodes.slice(node + 1).every((later) => later.inputs.every((input) => input >= node))) {
      last = node
    }
  }
  return last
}

/** [example + 1, ...], the last one at zero -> [point * example, ...], on the straight lines between. */
function pathBetween(ends: tf.Tensor): tf.Tensor {
  const numExamples = ends.shape[0] - 1
  const shape = ends.shape.slice(1)
  const flat = tf.reshape(ends, [numExamples + 1, -1])
  const start = tf.slice(flat, [numExamples, 0], [1, -1]) // [1, value]
  const way = tf.reshape(tf.sub(tf.slice(flat, [0, 0], [numExamples, -1]), start), [1, -1])
  const gone = tf.mul(tf.tensor2d([...PATH_NODES], [PATH_NODES.length, 1]), way)
  const path = tf.add(tf.reshape(gone, [PATH_NODES.length * numExamples, -1]), start)
  return tf.reshape(path, [-1, ...shape])
}

import * as tf from '@tensorflow/tfjs'
import { forward } from '../model/op-graph.ts'
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
  score: (network, examples, options) =>
    scoreNeurons(network, examples, { ...options, copies: PATH_NODES.length }, (batch) =>
      pathConductance(network, batch),
    ),
}

/**
 * Signed conductance c of every position, one tensor [example, ..., channel] a node. Call it in `tf.tidy`.
 * All path points run as one batch, and one way back gives the gradients at all levels.
 */
export function pathConductance(
  { graph, weights }: ScoredNetwork,
  { x, labels, nodes }: ScoredBatch,
): tf.Tensor[] {
  const numExamples = x.shape[0]!
  const path = tf.concat(PATH_NODES.map((node) => tf.mul(x, node))) // [point * example, ...input]
  const pass = forward(graph.ops, path, weights)
  const dLogits = tf.tile(labels, [PATH_NODES.length, 1]) // [point * example, class]
  const gradients = pass.backward(dLogits, { wants: (node) => nodes.includes(node) }).outputs
  const rows = (PATH_NODES.length - 1) * numExamples
  return nodes.map((node) => {
    const f = pass.outputs[node]! // [point * example, ..., channel]
    const zeros = f.shape.map(() => 0)
    const rest = f.shape.slice(1)
    const left = tf.slice(f, zeros, [rows, ...rest])
    const right = tf.slice(f, [numExamples, ...zeros.slice(1)], [rows, ...rest])
    const gradient = tf.slice(gradients.get(node)!, zeros, [rows, ...rest]) // at the left points
    const steps = tf.mul(tf.sub(right, left), gradient)
    return tf.sum(steps.reshape([PATH_NODES.length - 1, numExamples, ...rest]), 0)
  })
}

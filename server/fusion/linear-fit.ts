import * as tf from '@tensorflow/tfjs'
import { gram } from '../../shared/numeric/gram.ts'
import type { Grouping } from './grouping.ts'
import { targetsOf } from './level-targets.ts'
import { type LinearSystem, missingOf, solveRows } from './unfolded-rows.ts'

/** How all parents' neurons of a level can be made of what the fused network reads. */
export interface LinearFit {
  /** Inner products of what the neurons are compared by, [column, column]. */
  gram(): Promise<Float64Array>
  /** Squared distance of each neuron from that, [column]. */
  readonly residuals: Float64Array
  /** W of the fused neurons, [fanIn (+ 1), width]. */
  solve(grouping: Grouping): Promise<Float32Array>
}

/**
 * As NI (arXiv 2507.00037) has it: W = pinv([X, 1]) A, the least squares weights of least norm, for every
 * parent's neuron; fused neurons are their means, and neurons are compared by their fits [X, 1] W.
 *
 * @param activations A, pre-activations of all parents' neurons, [row, column]; borrowed
 */
export async function fitFromNothing(
  system: LinearSystem,
  activations: tf.Tensor2D,
): Promise<LinearFit> {
  const solution = await solveRows(system, activations, 0)
  return {
    gram: () => solution.fittedGram(),
    residuals: solution.residuals,
    solve: async (grouping) => mixed(solution.weights, activations.shape[1], grouping),
  }
}

/**
 * Least squares from the parents' own weights, carried over to the fused neurons that they now read:
 * W = W_0 + D with D = argmin |[X, 1] (W_0 + D) - T|^2 + ridge |D|^2. What the proxy set says nothing about
 * stays as the parents have it, where NI's solution of least norm is zero, and few examples can do no
 * harm. Neurons are compared by what they do, A.
 *
 * @param activations A, [row, column]; borrowed for as long as the fit is used
 * @param prior W_0 of every parent's neuron, [fanIn (+ 1), column]
 * @param ridge relative to the mean square that a weight reads
 */
export function fitFromParents(
  system: LinearSystem,
  activations: tf.Tensor2D,
  { prior, ridge }: { readonly prior: Float32Array; readonly ridge: number },
): LinearFit {
  const columns = activations.shape[1]
  return {
    gram: () => gram(activations, 'columns'),
    residuals: new Float64Array(columns),
    async solve(grouping) {
      const start = mixed(prior, columns, grouping)
      const targets = targetsOf(activations, grouping)
      const missing = await missingOf(system, targets, start)
      try {
        // The first level reads the very inputs that the parents read, and lacks nothing.
        if (await isNegligible(missing, targets)) return start
        const { weights } = await solveRows(system, missing, ridge)
        return start.map((value, i) => value + weights[i]!)
      } finally {
        tf.dispose([targets, missing])
      }
    },
  }
}

/** Weighted means of columns. @param weights [row, column] */
function mixed(
  weights: Float64Array | Float32Array,
  columns: number,
  grouping: Grouping,
): Float32Array {
  const rows = weights.length / columns
  const width = grouping.length
  const values = new Float32Array(rows * width)
  for (let row = 0; row < rows; row++) {
    for (let neuron = 0; neuron < width; neuron++) {
      let sum = 0
      for (const { column, share } of grouping[neuron]!) {
        sum += share * weights[row * columns + column]!
      }
      values[row * width + neuron] = sum
    }
  }
  return values
}

async function isNegligible(missing: tf.Tensor, of: tf.Tensor): Promise<boolean> {
  const ratio = tf.tidy(() => tf.div(tf.sum(tf.square(missing)), tf.sum(tf.square(of))))
  try {
    return !((await ratio.data())[0]! > 1e-8)
  } finally {
    ratio.dispose()
  }
}

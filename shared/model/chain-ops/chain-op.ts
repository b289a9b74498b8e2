import * as tf from '@tensorflow/tfjs'
import { nativeOps } from '../../engine/native-ops.ts'
import { GraftError } from '../../errors.ts'
import type { Rng } from '../../numeric/rng.ts'

export interface PassOptions {
  /** Trainable weights to use in place of the model's own, in the order of `trainableVariables`. */
  readonly weights?: readonly tf.Tensor[]
  /**
   * Set while training: batch normalisation uses the batch's statistics and moves its own, and dropout
   * draws its masks from here.
   */
  readonly training?: Rng
}

/** What of a gradient is needed; the rest is not computed. */
export interface Needs {
  readonly input: boolean
  readonly weights: boolean
}

/** Gradients that one op passes on; `dx` is absent when it was not needed. */
export interface StepBack {
  readonly dx?: tf.Tensor
  readonly dWeights: tf.Tensor[]
}

/** What an op makes of x, and the gradients that a gradient at its output gives. */
export interface StepForward {
  readonly y: tf.Tensor
  readonly back: (dy: tf.Tensor, needs: Needs) => StepBack
}

/** One operation of a chain. */
export interface ChainOp {
  readonly kind: 'kernel' | 'bias' | 'batch-norm' | 'relu' | 'max-pool' | 'other'
  /** The layer it comes from. */
  readonly layer: string
  /** Trainable weights, owned by the model. */
  readonly variables: readonly tf.LayerVariable[]
  /** The same as two ops, where it ends in adding a bias: first all but that, then the bias. */
  readonly apart?: readonly [ChainOp, ChainOp]
  /** @param x [batch, ...]; borrowed, as are the weights */
  forward(x: tf.Tensor, weights: readonly tf.Tensor[], options: PassOptions): StepForward
}

/** An op without trainable weights. */
export function weightless(
  layer: tf.layers.Layer,
  kind: ChainOp['kind'],
  run: (x: tf.Tensor, options: PassOptions) => { y: tf.Tensor; back: (dy: tf.Tensor) => tf.Tensor },
): ChainOp {
  return {
    kind,
    layer: layer.name,
    variables: [],
    forward(x, _, options) {
      const { y, back } = run(x, options)
      return { y, back: (dy, { input }) => ({ ...(input && { dx: back(dy) }), dWeights: [] }) }
    },
  }
}

/**
 * Sum over all axes but the last, [..., column] -> [column]. Elsewhere than on native as a product with
 * ones: wasm's sum takes 8 ms for [64,28,28,32], its product 0.3 ms.
 */
export function columnSums(values: tf.Tensor): tf.Tensor {
  const native = nativeOps()
  if (native !== undefined) return native.columnSums(values)
  const columns = values.shape.at(-1) ?? 1
  const rows = values.size / columns
  return tf.matMul(tf.ones([1, rows]), tf.reshape(values, [rows, columns])).reshape([columns])
}

/** Kernels that tfjs has, but gives no public function. */
export function runKernel(name: string, inputs: tf.NamedTensorMap, attributes: object): tf.Tensor {
  return tf.engine().runKernel<tf.Tensor>(name, inputs, attributes as tf.NamedAttrMap)
}

export function unsupported(layer: tf.layers.Layer, why: string): GraftError {
  return new GraftError(
    'GRAFT_LAYER_UNSUPPORTED',
    `Layer ${layer.name} (${layer.getClassName()}) ${why}.`,
  )
}

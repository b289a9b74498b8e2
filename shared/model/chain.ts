import type * as tf from '@tensorflow/tfjs'
import { GraftError } from '../errors.ts'
import { batchNorm } from './chain-ops/batch-norm.ts'
import type { ChainOp, PassOptions, StepBack, StepForward } from './chain-ops/chain-op.ts'
import { conv2d } from './chain-ops/conv2d.ts'
import { dense } from './chain-ops/dense.ts'
import { dropout } from './chain-ops/dropout.ts'
import { flatten } from './chain-ops/flatten.ts'
import { maxPool } from './chain-ops/max-pool.ts'
import { activation, relu } from './chain-ops/relu.ts'

/** A model as a chain of operations, each with its own way back. */
export interface Chain {
  readonly ops: readonly ChainOp[]
}

/** A forward pass and what is needed to walk back through it. */
export interface ForwardPass {
  /** Output of each op, [batch, ...]; the last one is the logits, [batch, classes]. */
  readonly outputs: readonly tf.Tensor[]
  /**
   * Gradients of sum(dLogits * logits), with respect to the trainable weights in the order of
   * `trainableVariables`, and with respect to the outputs of the ops whose index `wants` accepts.
   */
  backward(dLogits: tf.Tensor, wants?: (op: number) => boolean): Gradients
}

export interface Gradients {
  /** One tensor a trainable weight; empty when `wants` was given, as then only outputs count. */
  readonly weights: tf.Tensor[]
  /** By index of the op. */
  readonly outputs: ReadonlyMap<number, tf.Tensor>
}

/**
 * Reads the layers of a model into a chain. One explicit way back instead of tfjs's tape: it halves a
 * training step, and attribution gets the gradients at every level from a single pass.
 *
 * @param model borrowed; its variables are read at each pass
 * @throws GraftError GRAFT_LAYER_UNSUPPORTED naming the first layer that has no op
 */
export function chainOf(model: tf.LayersModel): Chain {
  return { ops: model.layers.flatMap(opsOf) }
}

/** The variables that training changes, in the order of the layers. */
export function trainableVariables({ ops }: Chain): tf.LayerVariable[] {
  return ops.flatMap((op) => op.variables)
}

/**
 * Runs a chain on a batch. Call it in `tf.tidy`: intermediate results belong to the caller.
 * @param x [batch, ...inputShape]; borrowed
 */
export function forward(chain: Chain, x: tf.Tensor, options: PassOptions = {}): ForwardPass {
  const { ops } = chain
  const outputs: tf.Tensor[] = []
  const backs: StepForward['back'][] = []
  let nextWeight = 0
  for (const op of ops) {
    const end = nextWeight + op.variables.length
    const weights =
      options.weights?.slice(nextWeight, end) ?? op.variables.map((variable) => variable.read())
    nextWeight = end
    const { y, back } = op.forward(outputs.at(-1) ?? x, weights, options)
    outputs.push(y)
    backs.push(back)
  }

  return {
    outputs,
    backward(dLogits, wants) {
      const wanted = new Map<number, tf.Tensor>()
      const weights: tf.Tensor[] = []
      // Nothing is asked for on the input side of this op.
      const last = ops.findIndex((op, i) => wants?.(i) ?? op.variables.length > 0)
      let dy: tf.Tensor | undefined = dLogits
      for (let i = ops.length - 1; i >= last && dy !== undefined; i--) {
        if (wants?.(i) === true) wanted.set(i, dy)
        if (wants !== undefined && i === last) break
        const needs = { input: i > last, weights: wants === undefined }
        const { dx, dWeights }: StepBack = backs[i]!(dy, needs)
        weights.unshift(...dWeights)
        dy = dx
      }
      return { weights, outputs: wanted }
    },
  }
}

function opsOf(layer: tf.layers.Layer): ChainOp[] {
  switch (layer.getClassName()) {
    case 'InputLayer':
      return []
    case 'Dense':
      return [dense(layer), ...activation(layer)]
    case 'Conv2D':
      return [conv2d(layer), ...activation(layer)]
    case 'BatchNormalization':
      return [batchNorm(layer)]
    case 'ReLU':
      return [relu(layer)]
    case 'Activation':
      return activation(layer)
    case 'MaxPooling2D':
      return [maxPool(layer)]
    case 'Flatten':
      return [flatten(layer)]
    case 'Dropout':
      return [dropout(layer)]
    default:
      throw new GraftError(
        'GRAFT_LAYER_UNSUPPORTED',
        `Layer ${layer.name} (${layer.getClassName()}) has no gradient here.`,
      )
  }
}

import * as tf from '@tensorflow/tfjs'
import { nativeOps } from '../../engine/native-ops.ts'
import { GraftError } from '../../errors.ts'
import type { Rng } from '../../numeric/rng.ts'
import { weightNames } from '../model-variables.ts'
import type { NeuronTrace } from '../neuron-trace.ts'
import type { AxisLayout } from '../neurons.ts'

/** A weight that an op reads. */
export interface OpWeight {
  /** `<layer>.<weight>`, as in `fc1.kernel`. */
  readonly name: string
  /** Whether training changes it by gradients. */
  readonly isTrainable: boolean
}

/** Set while training. */
export interface TrainingPass {
  /** Dropout draws its masks from here. */
  readonly rng: Rng
  /** What batch normalisation has made of a moving statistic; the tensor is borrowed. */
  readonly onMoved: (weight: string, value: tf.Tensor) => void
}

export interface PassOptions {
  /** Then batch normalisation uses the batch's statistics and moves its own, and dropout drops. */
  readonly training?: TrainingPass
}

/** What of a gradient is needed; the rest is not computed. */
export interface Needs {
  readonly inputs: boolean
  readonly weights: boolean
}

/** Gradients that one op passes on. */
export interface StepBack {
  /** One an input, in order; empty when they were not needed. */
  readonly dInputs: readonly tf.Tensor[]
  /** One a trainable weight, in order; empty when they were not needed. */
  readonly dWeights: readonly tf.Tensor[]
}

/** What an op makes of its inputs, and the gradients that a gradient at its output gives. */
export interface StepForward {
  readonly y: tf.Tensor
  readonly back: (dy: tf.Tensor, needs: Needs) => StepBack
}

/** One operation of a network. It holds no numbers: weights are given to it at each pass. */
export interface Op {
  readonly kind:
    /** A product with a weight; like bias, batch-norm (not training), flatten and reshape affine in its input. */
    | 'kernel'
    | 'bias'
    | 'batch-norm'
    | 'relu'
    | 'activation'
    | 'max-pool'
    | 'add'
    | 'flatten'
    | 'reshape'
    | 'other'
  /** The layer it comes from. */
  readonly layer: string
  readonly weights: readonly OpWeight[]
  /**
   * For an op that multiplies a kernel: what the kernel is multiplied with, [rows, fanIn], so that the output
   * is `unfold(x) * reshape(kernel, [fanIn, width])`, plus a bias, one row a place. The caller owns it.
   */
  readonly unfold?: (x: tf.Tensor, kernelShape: readonly number[]) => tf.Tensor2D
  /** Of a batch normalisation: what is added to a variance. */
  readonly epsilon?: number
  /** The same as two ops, where it ends in adding a bias: first all but that, then the bias. */
  readonly apart?: readonly [Op, Op]
  /** @param inputs [batch, ...] each; borrowed, as are the weights */
  forward(
    inputs: readonly tf.Tensor[],
    weights: readonly tf.Tensor[],
    options: PassOptions,
  ): StepForward
  /**
   * Follows neurons through the op: says of its weights which axis belongs to which neurons.
   *
   * @param inputs neurons along the last axis of each input
   * @returns neurons along the last axis of the output
   * @throws GraftError GRAFT_LAYER_UNSUPPORTED when the neurons cannot be followed
   */
  trace(inputs: readonly AxisLayout[], trace: NeuronTrace): AxisLayout
}

/** What a layer's op reads, in the order of the layer's own weights: trainable or not. */
export function weightsOf(layer: tf.layers.Layer): OpWeight[] {
  const names = weightNames(layer)
  return layer.weights.map((variable, i) => ({
    name: names[i]!,
    isTrainable: layer.trainableWeights.includes(variable),
  }))
}

/** An op without weights that leaves neurons where they are. */
export function weightless(
  layer: tf.layers.Layer,
  kind: Op['kind'],
  run: (x: tf.Tensor, options: PassOptions) => { y: tf.Tensor; back: (dy: tf.Tensor) => tf.Tensor },
): Op {
  return {
    kind,
    layer: layer.name,
    weights: [],
    forward([x], _, options) {
      const { y, back } = run(x!, options)
      return {
        y,
        back: (dy, { inputs }) => ({ dInputs: inputs ? [back(dy)] : [], dWeights: [] }),
      }
    },
    trace: ([input]) => input!,
  }
}

/**
 * An op that walks back on tfjs's tape, running forward once more: for what is rare or cheap.
 *
 * @param run a differentiable function of inputs and weights, in tensors that the engine's gradients know
 */
export function taped(
  op: Pick<Op, 'kind' | 'layer' | 'weights' | 'trace'>,
  run: (inputs: readonly tf.Tensor[], weights: readonly tf.Tensor[]) => tf.Tensor,
): Op {
  return {
    ...op,
    forward(inputs, weights) {
      return {
        y: run(inputs, weights),
        back(dy, needs) {
          const numInputs = inputs.length
          const gradients = tf.grads((...args: tf.Tensor[]) =>
            run(args.slice(0, numInputs), args.slice(numInputs)),
          )([...inputs, ...weights], dy)
          return {
            dInputs: needs.inputs ? gradients.slice(0, numInputs) : [],
            dWeights: needs.weights
              ? gradients.slice(numInputs).filter((_, i) => op.weights[i]!.isTrainable)
              : [],
          }
        },
      }
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

/** @throws GraftError GRAFT_LAYER_UNSUPPORTED for a layer whose maps are [batch, channel, ...] */
export function assertChannelsLast(layer: tf.layers.Layer): void {
  if (layer.getConfig()['dataFormat'] === 'channelsFirst') {
    throw unsupported(layer, 'wants channels first')
  }
}

export function unsupported(layer: tf.layers.Layer, why: string): GraftError {
  return new GraftError(
    'GRAFT_LAYER_UNSUPPORTED',
    `Layer ${layer.name} (${layer.getClassName()}) ${why}.`,
  )
}

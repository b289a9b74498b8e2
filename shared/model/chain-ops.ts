import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../errors.ts'
import type { Rng } from '../numeric/rng.ts'
import { nativeOps } from './native-ops.ts'

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
interface Needs {
  readonly input: boolean
  readonly weights: boolean
}

/** Gradients that one op passes on; `dx` is absent when it was not needed. */
export interface StepBack {
  readonly dx?: tf.Tensor
  readonly dWeights: tf.Tensor[]
}

/** One operation of a chain. */
export interface ChainOp {
  readonly kind: 'kernel' | 'batch-norm' | 'relu' | 'other'
  /** The layer it comes from. */
  readonly layer: string
  /** Trainable weights, owned by the model. */
  readonly variables: readonly tf.LayerVariable[]
  /** @returns the output for x, and the gradients that a gradient at that output gives */
  forward(
    x: tf.Tensor,
    weights: readonly tf.Tensor[],
    options: PassOptions,
  ): { y: tf.Tensor; back: (dy: tf.Tensor, needs: Needs) => StepBack }
}

/** y = x W + b, [batch, in] -> [batch, out]. */
export function dense(layer: tf.layers.Layer): ChainOp {
  return {
    kind: 'kernel',
    layer: layer.name,
    variables: layer.trainableWeights,
    forward(x, [kernel, bias]) {
      const product = tf.matMul(x, kernel as tf.Tensor2D)
      return {
        y: bias === undefined ? product : tf.add(product, bias),
        back: (dy, needs) => ({
          ...(needs.input && { dx: tf.matMul(dy, kernel!, false, true) }),
          dWeights: needs.weights
            ? [tf.matMul(x, dy, true, false), ...(bias === undefined ? [] : [columnSums(dy)])]
            : [],
        }),
      }
    },
  }
}

/** y = x * W + b, [batch, height, width, in] -> [batch, height', width', out]. */
export function conv2d(layer: tf.layers.Layer): ChainOp {
  const { strides, padding, dataFormat, dilationRate } = layer.getConfig()
  if (dataFormat === 'channelsFirst') throw unsupported(layer, 'wants channels first')
  if ([dilationRate].flat().some((rate) => typeof rate === 'number' && rate !== 1)) {
    throw unsupported(layer, 'is dilated')
  }
  const attributes = { strides: strides as [number, number], pad: padding as 'same' | 'valid' }
  return {
    kind: 'kernel',
    layer: layer.name,
    variables: layer.trainableWeights,
    forward(x, [kernel, bias]) {
      const filter = kernel as tf.Tensor4D
      return {
        y: tf.fused.conv2d({
          x: x as tf.Tensor4D,
          filter,
          ...attributes,
          ...(bias !== undefined && { bias }),
        }),
        back: (dy, needs) => ({
          ...(needs.input && {
            dx: runKernel(
              'Conv2DBackpropInput',
              { dy, filter },
              { ...attributes, dataFormat: 'NHWC', inputShape: x.shape },
            ),
          }),
          dWeights: needs.weights
            ? [
                runKernel(
                  'Conv2DBackpropFilter',
                  { x, dy },
                  { ...attributes, dataFormat: 'NHWC', filterShape: filter.shape },
                ),
                ...(bias === undefined ? [] : [columnSums(dy)]),
              ]
            : [],
        }),
      }
    },
  }
}

/** y = gamma (x - mean) / sqrt(variance + epsilon) + beta, along the last axis (Ioffe & Szegedy 2015). */
export function batchNorm(layer: tf.layers.Layer): ChainOp {
  const { axis, scale, center, epsilon, momentum } = layer.getConfig()
  const lastAxis = (layer.input as tf.SymbolicTensor).shape.length - 1
  if (axis !== -1 && axis !== lastAxis) throw unsupported(layer, 'does not normalise the last axis')
  if (scale !== true || center !== true) throw unsupported(layer, 'has no gamma or no beta')
  const [movingMean, movingVariance] = layer.nonTrainableWeights
  return {
    kind: 'batch-norm',
    layer: layer.name,
    variables: layer.trainableWeights,
    forward(x, [gamma, beta], { training }) {
      const axes = x.shape.slice(0, -1).map((_, i) => i)
      const isTraining = training !== undefined
      const { mean, variance } = isTraining
        ? tf.moments(x, axes) // [channel]
        : { mean: movingMean!.read(), variance: movingVariance!.read() }
      if (isTraining) {
        move(movingMean!, mean, momentum as number)
        move(movingVariance!, variance, momentum as number)
      }
      const inverse = tf.rsqrt(tf.add(variance, epsilon as number)) // [channel]
      const normalized = tf.mul(tf.sub(x, mean), inverse)
      return {
        y: tf.add(tf.mul(normalized, gamma!), beta!),
        back(dy, needs) {
          const dBeta = columnSums(dy)
          const dGamma = columnSums(tf.mul(dy, normalized))
          const dNormalized = tf.mul(dy, tf.mul(gamma!, inverse))
          const n = x.size / dBeta.size
          // Mean and variance move with x only while training; frozen they are constants.
          const correction = () =>
            tf.mul(tf.add(dBeta, tf.mul(normalized, dGamma)), tf.div(tf.mul(gamma!, inverse), n))
          return {
            ...(needs.input && {
              dx: isTraining ? tf.sub(dNormalized, correction()) : dNormalized,
            }),
            dWeights: needs.weights ? [dGamma, dBeta] : [],
          }
        },
      }
    },
  }
}

/** y = max(x, 0); its gradient at 0 is 0. */
export function relu(layer: tf.layers.Layer): ChainOp {
  const { maxValue } = layer.getConfig()
  if (typeof maxValue === 'number') throw unsupported(layer, 'is capped')
  return weightless(layer, 'relu', (x) => {
    const y = tf.relu(x)
    const native = nativeOps()
    return { y, back: (dy) => native?.reluGrad(dy, y) ?? tf.mul(dy, tf.step(y)) }
  })
}

/** The activation that a dense, conv2d or activation layer ends in: none or relu. */
export function activation(layer: tf.layers.Layer): ChainOp[] {
  const name = layer.getConfig()['activation'] as string
  if (name === 'linear') return []
  if (name === 'relu') return [relu(layer)]
  throw unsupported(layer, `applies ${name}`)
}

/** The largest value of each window; the first one of equals gets the gradient. */
export function maxPool(layer: tf.layers.Layer): ChainOp {
  const { poolSize, strides, padding, dataFormat } = layer.getConfig()
  if (dataFormat === 'channelsFirst') throw unsupported(layer, 'wants channels first')
  const filterSize = poolSize as [number, number]
  const stride = strides as [number, number]
  const pad = padding as 'same' | 'valid'
  return weightless(layer, 'other', (x) => {
    const output = tf.maxPool(x as tf.Tensor4D, filterSize, stride, pad)
    const attributes = { filterSize, strides: stride, pad }
    return {
      y: output,
      back: (dy) => runKernel('MaxPoolGrad', { dy, input: x, output }, attributes),
    }
  })
}

/** [batch, ...] -> [batch, size]. */
export function flatten(layer: tf.layers.Layer): ChainOp {
  return weightless(layer, 'other', (x) => ({
    y: tf.reshape(x, [x.shape[0], -1]),
    back: (dy) => tf.reshape(dy, x.shape),
  }))
}

/** Zeros a share of the inputs while training, and scales the rest up to keep the mean. */
export function dropout(layer: tf.layers.Layer): ChainOp {
  const rate = layer.getConfig()['rate'] as number
  return weightless(layer, 'other', (x, { training }) => {
    if (training === undefined) return { y: x, back: (dy) => dy }
    const draws = tf.randomUniform(x.shape, 0, 1, 'float32', training.split(layer.name).tfSeed())
    const mask = tf.div(tf.step(tf.sub(draws, rate)), 1 - rate)
    return { y: tf.mul(x, mask), back: (dy) => tf.mul(dy, mask) }
  })
}

function weightless(
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
 * Sum over all axes but the last. As a product with ones: wasm's sum takes 8 ms for [64,28,28,32], its
 * product 0.3 ms, and on native both take 0.5 ms.
 */
function columnSums(values: tf.Tensor): tf.Tensor {
  const columns = values.shape.at(-1) ?? 1
  const rows = values.size / columns
  return tf.matMul(tf.ones([1, rows]), tf.reshape(values, [rows, columns])).reshape([columns])
}

function move(moving: tf.LayerVariable, value: tf.Tensor, momentum: number): void {
  moving.write(tf.add(tf.mul(moving.read(), momentum), tf.mul(value, 1 - momentum)))
}

/** Kernels that tfjs has, but gives no public function. */
function runKernel(name: string, inputs: tf.NamedTensorMap, attributes: object): tf.Tensor {
  return tf.engine().runKernel<tf.Tensor>(name, inputs, attributes as tf.NamedAttrMap)
}

function unsupported(layer: tf.layers.Layer, why: string): GraftError {
  return new GraftError(
    'GRAFT_LAYER_UNSUPPORTED',
    `Layer ${layer.name} (${layer.getClassName()}) ${why}.`,
  )
}

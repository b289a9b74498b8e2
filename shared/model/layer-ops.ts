import type * as tf from '@tensorflow/tfjs'
import { GraftError } from '../errors.ts'
import { activation, activationOf } from './ops/activation.ts'
import { averagePool1d, conv1d, maxPool1d } from './ops/as-row.ts'
import { averagePool2d } from './ops/average-pool.ts'
import { batchNorm } from './ops/batch-norm.ts'
import { conv2d } from './ops/conv2d.ts'
import { dense } from './ops/dense.ts'
import { depthwiseConv2d, separableConv2d } from './ops/depthwise-conv2d.ts'
import { dropout } from './ops/dropout.ts'
import { embedding } from './ops/embedding.ts'
import { flatten } from './ops/flatten.ts'
import { globalAveragePool, globalMaxPool } from './ops/global-pool.ts'
import { layerNorm } from './ops/layer-norm.ts'
import { maxPool2d } from './ops/max-pool.ts'
import { add, concatenate, multiply } from './ops/merge.ts'
import type { Op } from './ops/op.ts'
import { positionEmbedding } from './ops/position-embedding.ts'
import { reshape } from './ops/reshape.ts'
import { selfAttention } from './ops/self-attention.ts'
import { zeroPad2d } from './ops/zero-pad.ts'

/**
 * What a layer computes, as ops one after the other: the first reads the layer's inputs.
 * @throws GraftError GRAFT_LAYER_UNSUPPORTED when a setting of the layer is not supported
 */
export type LayerOps = (layer: tf.layers.Layer) => readonly Op[]

/** An op for each kind of layer, by tfjs's class name. */
const LAYER_OPS: Readonly<Record<string, LayerOps>> = {
  InputLayer: () => [],
  Dense: (layer) => [dense(layer), ...activationOf(layer)],
  Conv1D: (layer) => [conv1d(layer), ...activationOf(layer)],
  Conv2D: (layer) => [conv2d(layer), ...activationOf(layer)],
  DepthwiseConv2D: (layer) => [...depthwiseConv2d(layer), ...activationOf(layer)],
  SeparableConv2D: (layer) => [...separableConv2d(layer), ...activationOf(layer)],
  BatchNormalization: (layer) => [batchNorm(layer)],
  LayerNormalization: (layer) => [layerNorm(layer)],
  Embedding: (layer) => [embedding(layer)],
  PositionEmbedding: (layer) => [positionEmbedding(layer)],
  SelfAttention: selfAttention,
  Activation: activation,
  ReLU: activation,
  LeakyReLU: activation,
  ELU: activation,
  Softmax: activation,
  MaxPooling1D: (layer) => [maxPool1d(layer)],
  MaxPooling2D: (layer) => [maxPool2d(layer)],
  AveragePooling1D: (layer) => [averagePool1d(layer)],
  AveragePooling2D: (layer) => [averagePool2d(layer)],
  GlobalAveragePooling1D: (layer) => [globalAveragePool(layer)],
  GlobalAveragePooling2D: (layer) => [globalAveragePool(layer)],
  GlobalMaxPooling1D: (layer) => [globalMaxPool(layer)],
  GlobalMaxPooling2D: (layer) => [globalMaxPool(layer)],
  ZeroPadding2D: (layer) => [zeroPad2d(layer)],
  Flatten: (layer) => [flatten(layer)],
  Reshape: (layer) => [reshape(layer)],
  Dropout: (layer) => [dropout(layer)],
  Add: (layer) => [add(layer)],
  Multiply: (layer) => [multiply(layer)],
  Concatenate: (layer) => [concatenate(layer)],
}

/** Layers of a user's own, by class name. */
const customOps = new Map<string, LayerOps>()

/**
 * Teaches Graft a layer of your own: what it computes, its gradient, and which of its weights' axes
 * belong to which neurons. `taped` in ops/op.ts makes the gradient from the forward pass.
 *
 * @param className as the class says of itself; one of tfjs's own is replaced
 */
export function registerLayerOps(className: string, ops: LayerOps): void {
  customOps.set(className, ops)
}

/** Whether a network may have layers of this class: of Graft's own list, or registered in this process. */
export function isKnownLayer(className: string): boolean {
  return customOps.has(className) || Object.hasOwn(LAYER_OPS, className)
}

/** @throws GraftError GRAFT_LAYER_UNSUPPORTED naming a layer of a kind that nobody has registered */
export function layerOps(layer: tf.layers.Layer): readonly Op[] {
  const className = layer.getClassName()
  const ops = customOps.get(className) ?? LAYER_OPS[className]
  if (ops === undefined) {
    throw new GraftError(
      'GRAFT_LAYER_UNSUPPORTED',
      `Layer ${layer.name} (${className}) is of a kind that Graft does not know.`,
    )
  }
  return ops(layer)
}

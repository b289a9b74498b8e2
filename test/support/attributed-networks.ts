import * as tf from '@tensorflow/tfjs'
import { SelfAttention } from '../../shared/model/layers/self-attention.ts'
import { type Body, chain } from './seeded-network.ts'

const { layers } = tf
const same = { kernelSize: 3, padding: 'same' } as const

/** Networks of three classes for images [8, 8, 2], by what is special about them. */
export const NETWORKS = {
  dense: (x) =>
    chain(
      layers.flatten(),
      layers.dense({ units: 7, activation: 'relu' }),
      layers.dense({ units: 5, activation: 'relu' }),
      layers.dense({ units: 3 }),
    )(x),
  pooling: (x) =>
    chain(
      layers.conv2d({ filters: 4, ...same, activation: 'relu' }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 5, ...same, activation: 'relu' }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 3 }),
    )(x),
  gelu: (x) =>
    chain(
      layers.flatten(),
      layers.dense({ units: 6 }),
      layers.activation({ activation: 'gelu' }),
      layers.dense({ units: 5 }),
      layers.activation({ activation: 'gelu' }),
      layers.dense({ units: 3 }),
    )(x),
  normalized: (x) =>
    chain(
      layers.conv2d({ filters: 4, ...same, useBias: false }),
      layers.batchNormalization(),
      layers.globalMaxPooling2d({}),
      layers.dense({ units: 3 }),
    )(x),
  depthwise: (x) =>
    chain(
      layers.conv2d({ filters: 3, ...same, activation: 'relu' }),
      layers.depthwiseConv2d({ ...same, depthMultiplier: 2 }),
      layers.reLU(),
      layers.globalAveragePooling2d({}),
      layers.dense({ units: 3 }),
    )(x),
  residual: (x) => {
    const stem = chain(layers.conv2d({ filters: 4, ...same, activation: 'relu' }))(x)
    const inner = chain(
      layers.conv2d({ filters: 6, ...same, useBias: false }),
      layers.batchNormalization(),
      layers.reLU(),
      layers.conv2d({ filters: 4, ...same }),
    )(stem)
    const sum = layers.add().apply([stem, inner]) as tf.SymbolicTensor
    return chain(layers.reLU(), layers.globalAveragePooling2d({}), layers.dense({ units: 3 }))(sum)
  },
  /** The input itself is added, so no path can be begun behind the first layer. */
  shortcut: (x) => {
    const seen = chain(layers.conv2d({ filters: 2, ...same, activation: 'relu' }))(x)
    const sum = layers.add().apply([x, seen]) as tf.SymbolicTensor
    return chain(layers.flatten(), layers.dense({ units: 3 }))(sum)
  },
  attention: (x) => {
    const tokens = chain(layers.reshape({ targetShape: [8, 16] }), layers.dense({ units: 6 }))(x)
    const mixed = chain(new SelfAttention({ numHeads: 2, headDim: 3, units: 6 }))(tokens)
    const sum = layers.add().apply([tokens, mixed]) as tf.SymbolicTensor
    return chain(layers.globalAveragePooling1d({}), layers.dense({ units: 3 }))(sum)
  },
} as const satisfies Record<string, Body>

import * as tf from '@tensorflow/tfjs'
import type { Rng } from '../numeric/rng.ts'
import type { Architecture } from './architecture.ts'
import { initialWeights } from './initial-weights.ts'
import { layerShapes, type LayerShapes } from './layer-shapes.ts'
import { INPUT_NAME, layerInputs, layerNames, type LayerSpec } from './layer-spec.ts'
import { PositionEmbedding } from './layers/position-embedding.ts'
import { SelfAttention } from './layers/self-attention.ts'
import { unwritten } from './unwritten.ts'
import { writeWeights } from './weights.ts'

/** As PyTorch and the papers' code have it; tfjs would take 0.001 and 0.99. */
const BATCH_NORM = { epsilon: 1e-5, momentum: 0.9 } as const
/** PyTorch's too; vision transformers often have 1e-6, tfjs 1e-3. */
const LAYER_NORM = { epsilon: 1e-5 } as const

/**
 * Builds a network that maps [batch, ...inputShape] to logits [batch, numClasses], without a softmax.
 * Its weights are those of {@link initialWeights}.
 *
 * @returns a model the caller owns and disposes
 */
export function buildModel(architecture: Architecture, rng: Rng): tf.LayersModel {
  const model = emptyModel(architecture)
  writeWeights(model, initialWeights(architecture, rng))
  return model
}

/**
 * The same for who writes all weights into it: until then they take no memory, and may hold anything. Its layers are
 * made in the order of their specs, which is the order of the weights.
 */
export function emptyModel(architecture: Architecture): tf.LayersModel {
  const { name, inputShape, layers } = architecture
  const [names, reads] = [layerNames(layers), layerInputs(layers)]
  const shapes = layerShapes(architecture)
  const input = tf.input({ shape: [...inputShape], name: INPUT_NAME })
  const outputs: tf.SymbolicTensor[] = []
  for (const [i, spec] of layers.entries()) {
    const read = reads[i]!.map((index) => (index < 0 ? input : outputs[index]!))
    const layer = tfLayer(spec, names[i]!, shapes[i]!)
    outputs.push(layer.apply(read.length === 1 ? read[0]! : read) as tf.SymbolicTensor)
  }
  return tf.model({ name, inputs: input, outputs: outputs.at(-1)! })
}

function tfLayer(spec: LayerSpec, name: string, { inputs, output }: LayerShapes): tf.layers.Layer {
  switch (spec.kind) {
    case 'dense':
      return tf.layers.dense({
        name,
        units: spec.units,
        useBias: spec.bias,
        kernelInitializer: unwritten(),
      })
    case 'conv2d':
      return tf.layers.conv2d({
        name,
        filters: spec.filters,
        kernelSize: spec.kernelSize,
        strides: spec.strides,
        padding: spec.padding,
        useBias: spec.bias,
        kernelInitializer: unwritten(),
      })
    case 'batch-norm':
      return tf.layers.batchNormalization({ ...BATCH_NORM, name })
    case 'layer-norm':
      return tf.layers.layerNormalization({ ...LAYER_NORM, name })
    case 'position-embedding':
      return new PositionEmbedding({ name })
    case 'self-attention': {
      const { numHeads, headDim, units } = spec
      return new SelfAttention({ name, numHeads, headDim, units })
    }
    case 'relu':
      return tf.layers.reLU({ name })
    case 'gelu':
      return tf.layers.activation({ name, activation: 'gelu' })
    case 'max-pool':
      return tf.layers.maxPooling2d({ name, poolSize: spec.size, strides: spec.size })
    case 'zero-pad':
      return tf.layers.zeroPadding2d({ name, padding: spec.size })
    case 'flatten':
      return tf.layers.flatten({ name })
    case 'add':
      return tf.layers.add({ name })
    case 'global-average-pool':
      return inputs[0]!.length === 3
        ? tf.layers.globalAveragePooling2d({ name })
        : tf.layers.globalAveragePooling1d({ name })
    case 'tokens':
      return tf.layers.reshape({ name, targetShape: [...output] })
  }
}

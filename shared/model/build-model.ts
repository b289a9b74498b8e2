import * as tf from '@tensorflow/tfjs'
import type { Rng } from '../numeric/rng.ts'
import type { Architecture, LayerSpec } from './architecture.ts'
import { weightSpecs } from './weight-specs.ts'
import { sizeOf, writeWeights, type NamedTensor } from './weights.ts'

/** As PyTorch and the papers' code have it; tfjs would take 0.001 and 0.99. */
const BATCH_NORM = { epsilon: 1e-5, momentum: 0.9 } as const

/**
 * Builds a network that maps [batch, ...inputShape] to logits [batch, numClasses], without a softmax.
 *
 * Kernels are drawn from He's uniform distribution, U(-l, l) with l = sqrt(6 / fanIn) (He et al. 2015,
 * arXiv:1502.01852, section 2.2), biases are 0. They are drawn outside of the engine, so a seed gives
 * the same bytes on every engine.
 *
 * @returns a model the caller owns and disposes
 */
export function buildModel(architecture: Architecture, rng: Rng): tf.LayersModel {
  const model = emptyModel(architecture)
  writeWeights(model, initialWeights(architecture, rng))
  return model
}

/** Weights of an untrained network; see {@link buildModel}. */
export function initialWeights(architecture: Architecture, rng: Rng): NamedTensor[] {
  return weightSpecs(architecture).map(({ name, shape }) => {
    const data = new Float32Array(sizeOf(shape))
    if (name.endsWith('.kernel')) {
      const stream = rng.split(name)
      const limit = Math.sqrt(6 / sizeOf(shape.slice(0, -1)))
      for (let i = 0; i < data.length; i++) data[i] = (2 * stream.next() - 1) * limit
    } else if (name.endsWith('.gamma') || name.endsWith('.movingVariance')) {
      data.fill(1)
    }
    return { name, shape, data }
  })
}

function emptyModel({ inputShape, layers }: Architecture): tf.LayersModel {
  const model = tf.sequential()
  for (const [i, spec] of layers.entries()) {
    const layer = tfLayer(spec, i === 0 ? { inputShape: [...inputShape] } : {})
    model.add(layer)
  }
  return model
}

function tfLayer(spec: LayerSpec, input: { inputShape?: number[] }): tf.layers.Layer {
  switch (spec.kind) {
    case 'dense':
      return tf.layers.dense({
        ...input,
        name: spec.name,
        units: spec.units,
        useBias: spec.bias,
        kernelInitializer: 'zeros',
      })
    case 'conv2d':
      return tf.layers.conv2d({
        ...input,
        name: spec.name,
        filters: spec.filters,
        kernelSize: spec.kernelSize,
        strides: spec.strides,
        padding: spec.padding,
        useBias: spec.bias,
        kernelInitializer: 'zeros',
      })
    case 'batch-norm':
      return tf.layers.batchNormalization({ ...input, ...BATCH_NORM, name: spec.name })
    case 'relu':
      return tf.layers.reLU(input)
    case 'max-pool':
      return tf.layers.maxPooling2d({ ...input, poolSize: spec.size, strides: spec.size })
    case 'flatten':
      return tf.layers.flatten(input)
  }
}

import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Architecture } from '../../../../shared/model/architecture.ts'
import { parseArchitecture } from '../../../../shared/model/architectures.ts'
import { buildModel, emptyModel } from '../../../../shared/model/build-model.ts'
import { weightSpecs } from '../../../../shared/model/weight-specs.ts'
import { readWeights } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { residentBytes } from '../../../support/collect-garbage.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeak } from '../../../support/expect-no-leak.ts'

const IMAGES = { inputShape: [12, 12, 1], numClasses: 3 }

beforeAll(startTestEngine)

describe('buildModel', () => {
  it('should map images to logits', async () => {
    const model = buildModel(parseArchitecture('lenet', IMAGES), createRng('7'))
    const output = tf.tidy(() => model.apply(tf.ones([2, 12, 12, 1])) as tf.Tensor2D)
    const logits = await output.array()
    expect(logits).toHaveLength(2)
    const [first] = logits
    // Probabilities would sum to 1.
    expect(first!.reduce((sum, logit) => sum + logit)).not.toBeCloseTo(1)
    model.dispose()
  })

  it('should have the weights that the architecture says', async () => {
    const architecture = withBatchNorm()
    const model = buildModel(architecture, createRng('7'))
    const weights = await readWeights(model)
    expect(weights.map(({ name, shape }) => ({ name, shape }))).toEqual(weightSpecs(architecture))
    model.dispose()
  })

  it('should normalise with the constants of PyTorch', () => {
    const images = { inputShape: [32, 32, 3], numClasses: 3 }
    for (const spec of ['vgg11-bn:1', 'vit:8x1']) {
      const model = buildModel(parseArchitecture(spec, images), createRng('7'))
      const epsilons = model.layers.flatMap((layer) => layer.getConfig()['epsilon'] ?? [])
      expect(new Set(epsilons)).toEqual(new Set([1e-5]))
      model.dispose()
    }
  })

  it('should draw He-uniform kernels, and leave biases 0', async () => {
    const model = buildModel(parseArchitecture('mlp:144-300-3', IMAGES), createRng('7'))
    const [kernel, bias] = await readWeights(model)
    const limit = Math.sqrt(6 / 144)
    const variance = kernel!.data.reduce((sum, w) => sum + w * w, 0) / kernel!.data.length
    expect(Math.max(...kernel!.data.map(Math.abs))).toBeLessThanOrEqual(Math.fround(limit))
    expect(variance / (2 / 144)).toBeCloseTo(1, 1)
    expect(new Set(bias!.data)).toEqual(new Set([0]))
    model.dispose()
  })

  it('should give the same weights for the same seed, and others for another', async () => {
    const [a, b, c] = await Promise.all(['7', '7', '8'].map(weightsOf))
    expect(a).toEqual(b)
    expect(a).not.toEqual(c)
  })

  it('should say in a saved model what every reader of tf.js models knows', () => {
    const model = buildModel(parseArchitecture('mlp:144-5-3', IMAGES), createRng('7'))
    const { kernelInitializer } = model.layers.find(({ name }) => name === 'fc1')!.getConfig()
    expect(kernelInitializer).toEqual({ className: 'Zeros', config: {} })
    model.dispose()
  })

  it('should take no memory of the wasm engine for large weights that nobody wrote', async ({
    skip,
  }) => {
    skip(tf.getBackend() !== 'wasm', 'other engines take none for zeros')
    const before = await residentBytes()
    const model = emptyModel(parseArchitecture('mlp:144-7000-7000-3', IMAGES))
    expect((await residentBytes()) - before).toBeLessThan(50e6)
    model.dispose()
  })

  it('should be freed by dispose', () => {
    expectNoLeak(() => {
      buildModel(withBatchNorm(), createRng('7')).dispose()
      return []
    })
  })
})

// Helpers

async function weightsOf(seed: string) {
  const model = buildModel(parseArchitecture('mlp:144-5-3', IMAGES), createRng(seed))
  const weights = await readWeights(model)
  model.dispose()
  return weights
}

function withBatchNorm(): Architecture {
  const conv = { strides: 1, padding: 'same', kernelSize: 3, bias: false } as const
  return {
    name: 'test',
    inputShape: [6, 6, 2],
    numClasses: 3,
    layers: [
      { kind: 'conv2d', name: 'conv1', filters: 4, ...conv },
      { kind: 'batch-norm', name: 'bn1' },
      { kind: 'relu' },
      { kind: 'max-pool', size: 2 },
      { kind: 'flatten' },
      { kind: 'dense', name: 'fc1', units: 3, bias: true },
    ],
  }
}

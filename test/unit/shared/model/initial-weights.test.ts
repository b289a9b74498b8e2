import { describe, expect, it } from 'vitest'
import { parseArchitecture } from '../../../../shared/model/architectures.ts'
import { initialWeights } from '../../../../shared/model/initial-weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'

const IMAGES = { inputShape: [32, 32, 3], numClasses: 10 }

describe('initialWeights', () => {
  it.each([
    { spec: 'vgg11:16', weight: 'conv2.kernel', fanIn: 9 * 16 },
    { spec: 'vit:64x1', weight: 'blocks.0.attn.queryKernel', fanIn: 64 },
    { spec: 'vit:64x1', weight: 'blocks.0.attn.outputKernel', fanIn: 64 },
    { spec: 'vit:64x1', weight: 'blocks.0.mlp.fc2.kernel', fanIn: 256 },
  ])('should draw $weight He-uniform for a fan-in of $fanIn', ({ spec, weight, fanIn }) => {
    const data = draw(spec, weight)
    expect(Math.max(...data.map(Math.abs))).toBeLessThanOrEqual(Math.fround(Math.sqrt(6 / fanIn)))
    expect(deviation(data) / Math.sqrt(2 / fanIn)).toBeCloseTo(1, 1)
  })

  it('should draw small positions', () => {
    const data = draw('vit:64x1', 'pos_embed.positions')
    expect(data).toHaveLength(64 * 64)
    expect(deviation(data) / 0.02).toBeCloseTo(1, 1)
    expect(Math.max(...data)).toBeGreaterThan(0.05)
  })

  it('should draw each weight from a stream of its own', () => {
    const [key, value] = ['keyKernel', 'valueKernel'].map((weight) =>
      draw('vit:64x1', `blocks.0.attn.${weight}`),
    )
    expect(key).not.toEqual(value)
  })

  it('should begin normalisations at 1, and all else at 0', () => {
    const constants = initialWeights(parseArchitecture('resnet18:2', IMAGES), createRng('7'))
      .filter(({ name }) => !name.endsWith('kernel'))
      .map(({ name, data }) => `${name.split('.').at(-1)!} ${[...new Set(data)].join()}`)
    expect(new Set(constants)).toEqual(
      new Set(['gamma 1', 'beta 0', 'movingMean 0', 'movingVariance 1', 'bias 0']),
    )
  })
})

// Helpers

function draw(spec: string, weight: string): Float32Array {
  const weights = initialWeights(parseArchitecture(spec, IMAGES), createRng('7'))
  return weights.find(({ name }) => name === weight)!.data
}

function deviation(data: Float32Array): number {
  return Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length)
}

import { describe, expect, it } from 'vitest'
import { kMeansOfGram } from '../../shared/numeric/k-means.ts'
import { selfProduct, viewOf } from '../../shared/numeric/matmul64.ts'
import { createRng } from '../../shared/numeric/rng.ts'
import { floats, loadFixture } from './fixture.ts'

// The first layer of c_kf_mlp3 has fewer examples than inputs, so least squares fits it exactly, and the
// points to cluster are the parents' pre-activations themselves.
describe('clusters of c_kf_mlp3, first layer', () => {
  const fixture = loadFixture('c_kf_mlp3')
  const [examples, inputs, width, k] = [80, 196, 20, 3]
  const points = new Float64Array(k * width * examples)
  for (let i = 0; i < k * width; i++) {
    const weight = floats(fixture, `parents.${Math.floor(i / width)}.fc1.weight`)
    const bias = floats(fixture, `parents.${Math.floor(i / width)}.fc1.bias`)
    const X = floats(fixture, 'X')
    for (let n = 0; n < examples; n++) {
      let sum = bias[i % width]!
      for (let c = 0; c < inputs; c++) sum += X[n * inputs + c]! * weight[(i % width) * inputs + c]!
      points[i * examples + n] = sum
    }
  }

  for (const variant of ['uniform', 'conductance'])
    for (const seed of ['1', '2', '3'])
      it(`should cost no more than the reference's for ${variant} scores, seed ${seed}`, () => {
        const weights = [0, 1, 2].flatMap((m) => [
          ...floats(fixture, `expected.kf.${variant}.scores.${m}.fc1`),
        ])
        const { objective } = kMeansOfGram(selfProduct(viewOf(points, examples)), {
          weights,
          clusters: width,
          rng: createRng(seed),
        })
        const results = fixture.json['results'] as Results
        expect(objective).toBeLessThanOrEqual(
          results[`kf.${variant}`]!.layers['fc1']!.objective_nearest,
        )
      })
})

// Helpers

type Results = Record<string, { layers: Record<string, { objective_nearest: number }> }>

import { describe, expect, it } from 'vitest'
import { transportPlan } from '../../shared/numeric/transport.ts'
import { floats, loadFixture } from './fixture.ts'

for (const name of ['d_otfusion_mlp2', 'd_otfusion_conv2'])
  describe(`transport plans of ${name}`, () => {
    const fixture = loadFixture(name)
    for (const variant of Object.keys(fixture.json['results'] as object))
      for (const layer of fixture.json.layer_names!)
        it(`should be the recorded plan for ${variant} scores, layer ${layer}`, () => {
          const [cost, mu, nu, plan] = ['cost', 'mu', 'nu', 'plan'].map((part) =>
            floats(fixture, `expected.${variant}.${part}.${layer}`),
          ) as [Float32Array, Float32Array, Float32Array, Float32Array]
          const ours = transportPlan(cost, mu, nu)
          ours.forEach((amount, at) => {
            expect(Math.abs(amount - plan[at]!)).toBeLessThanOrEqual(1e-5)
          })
          expect(price(cost, ours)).toBeLessThanOrEqual(price(cost, plan) * (1 + 1e-6))
        })
  })

// Helpers

function price(cost: Float32Array, plan: ArrayLike<number>): number {
  return cost.reduce((sum, value, at) => sum + value * plan[at]!, 0)
}

import { beforeAll, describe, expect, it } from 'vitest'
import { attribute } from '../../shared/attribution/attribute.ts'
import type { AttributionPoint } from '../../shared/attribution/scorer.ts'
import { buildModel } from '../../shared/model/build-model.ts'
import { levelsOf } from '../../shared/model/levels.ts'
import { writeWeights } from '../../shared/model/weights.ts'
import { createRng } from '../../shared/numeric/rng.ts'
import { predict } from '../../shared/training/predict.ts'
import { arrayExamples } from '../support/array-examples.ts'
import { startTestEngine } from '../support/engine.ts'
import { architectureOf, floats, inputsOf, integers, loadFixture, weightsUnder } from './fixture.ts'

beforeAll(startTestEngine)

describe.each(['a_importance_mlp', 'a_importance_conv'])('conductance of %s', (name) => {
  const fixture = loadFixture(name)
  const architecture = architectureOf(fixture)
  const { rtol, atol } = fixture.json.tolerance
  const points: AttributionPoint[] = ['pre', 'post']

  it('should start from a network with the logits of the reference', async () => {
    const { model, examples } = setUp()
    expectWithin(await predict(model, examples), floats(fixture, 'logits'), 1e-4)
    model.dispose()
  })

  it.each(points)('should be what captum gives at %s', async (point) => {
    const { model, examples } = setUp()
    const scores = await attribute('conductance', model, examples, { point, batchSize: 50 })
    const levels = levelsOf(model)
    expect(scores).toHaveLength(levels.length)
    for (const { index, layer, width, isHead } of levels) {
      // The head has no relu behind it, so the reference has only its `pre` scores.
      const key = `expected.conductance.${layer}.${isHead ? 'pre' : point}`
      const expected = floats(fixture, key)
      expect(scores[index]).toHaveLength(width)
      const tolerance = Number(rtol) * Math.max(...expected) + Number(atol)
      expectWithin(scores[index]!, expected, tolerance)
    }
    model.dispose()
  })

  it('should not depend on the batch size but for rounding', async () => {
    const { model, examples } = setUp()
    const whole = await attribute('conductance', model, examples, { batchSize: 64 })
    const pieces = await attribute('conductance', model, examples, { batchSize: 7 })
    for (const [level, scores] of whole.entries()) {
      expectWithin(pieces[level]!, scores, 1e-5 * Math.max(...scores))
    }
    model.dispose()
  })

  function setUp() {
    const model = buildModel(architecture, createRng('overwritten'))
    writeWeights(model, weightsUnder(fixture, 'model.'))
    const labels = integers(fixture, 'y')
    return { model, examples: arrayExamples(architecture, inputsOf(fixture), labels) }
  }
})

// Helpers

function expectWithin(actual: Float32Array, expected: Float32Array, tolerance: number): void {
  expect(actual).toHaveLength(expected.length)
  const worst = actual.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0)
  expect(worst).toBeLessThanOrEqual(tolerance)
}

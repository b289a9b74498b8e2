import { beforeAll, describe, expect, it } from 'vitest'
import { attribute } from '../../shared/attribution/attribute.ts'
import type { AttributionPoint } from '../../shared/attribution/scorer.ts'
import type { ScorerName } from '../../shared/attribution/scorer-names.ts'
import type { OptionsOf } from '../../shared/attribution/scorers.ts'
import { buildModel } from '../../shared/model/build-model.ts'
import { neuronGraph } from '../../shared/model/neuron-graph.ts'
import { writeWeights } from '../../shared/model/weights.ts'
import { createRng } from '../../shared/numeric/rng.ts'
import { predict } from '../../shared/training/predict.ts'
import { arrayExamples } from '../../shared/data/array-examples.ts'
import { startTestEngine } from '../support/engine.ts'
import { architectureOf, floats, inputsOf, integers, loadFixture, weightsUnder } from './fixture.ts'

/** A scorer as it is told to be, and where a fixture holds what the reference gave for that. */
interface Case {
  readonly scorer: ScorerName
  readonly own: OptionsOf<'deeplift'> & OptionsOf<'ablation'>
  readonly expected: string
}

const CASES: readonly Case[] = [
  { scorer: 'conductance', own: {}, expected: 'conductance' },
  { scorer: 'deeplift', own: { pooling: 'captum' }, expected: 'deeplift' },
  { scorer: 'deeplift', own: {}, expected: 'deeplift_separated' },
  { scorer: 'ablation', own: { ablate: 'positions' }, expected: 'featureablation' },
]
const POINTS: readonly AttributionPoint[] = ['pre', 'post']

beforeAll(startTestEngine)

describe.each(['a_importance_mlp', 'a_importance_conv'])('%s', (name) => {
  const fixture = loadFixture(name)
  const architecture = architectureOf(fixture)
  const { rtol, atol } = fixture.json.tolerance

  it('should start from a network with the logits of the reference', async () => {
    const { model, examples } = setUp()
    expectWithin(await predict(model, examples), floats(fixture, 'logits'), 1e-4)
    model.dispose()
  })

  for (const point of POINTS) {
    it.each(CASES)(`should have at ${point} the reference’s $expected`, async (given) => {
      const { model, examples } = setUp()
      const options = { ...given.own, point, batchSize: 50 }
      const scores = await attribute(given.scorer, model, examples, options)
      const { groups } = neuronGraph(model)
      expect(scores).toHaveLength(groups.length)
      for (const { index, name: layer, width, isHead } of groups) {
        // The head has no relu behind it, so the reference has only its `pre` scores.
        const expected = expectedScores(given.expected, `${layer}.${isHead ? 'pre' : point}`)
        expect(scores[index]).toHaveLength(width)
        const tolerance = Number(rtol) * Math.max(...expected) + Number(atol)
        expectWithin(scores[index]!, expected, tolerance)
      }
      model.dispose()
    })
  }

  it.each(CASES)('should give the same $expected for other batches', async (given) => {
    const { model, examples } = setUp()
    const whole = await attribute(given.scorer, model, examples, { ...given.own, batchSize: 64 })
    const pieces = await attribute(given.scorer, model, examples, { ...given.own, batchSize: 7 })
    for (const [group, scores] of whole.entries()) {
      expectWithin(pieces[group]!, scores, 5e-5 * Math.max(...scores))
    }
    model.dispose()
  })

  function setUp() {
    const model = buildModel(architecture, createRng('overwritten'))
    writeWeights(model, weightsUnder(fixture, 'model.'))
    const labels = integers(fixture, 'y')
    return { model, examples: arrayExamples(architecture, inputsOf(fixture), labels) }
  }

  /** Without a max pooling there is nothing to separate, and the fixture has only one kind. */
  function expectedScores(scorer: string, at: string): Float32Array {
    const key = `expected.${scorer}.${at}`
    return floats(fixture, fixture.tensors.has(key) ? key : `expected.deeplift.${at}`)
  }
})

// Helpers

function expectWithin(actual: Float32Array, expected: Float32Array, tolerance: number): void {
  expect(actual).toHaveLength(expected.length)
  const worst = actual.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0)
  expect(worst).toBeLessThanOrEqual(tolerance)
}

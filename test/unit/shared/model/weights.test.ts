import { beforeAll, describe, expect, it } from 'vitest'
import { parseArchitecture } from '../../../../shared/model/architectures.ts'
import { buildModel } from '../../../../shared/model/build-model.ts'
import {
  assertFinite,
  assertSameShapes,
  readWeights,
  writeWeights,
} from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'

const architecture = parseArchitecture('mlp:4-3-2', { inputShape: [4], numClasses: 2 })

beforeAll(startTestEngine)

describe('writeWeights', () => {
  it('should give a model the weights read from another', async () => {
    const [source, target] = ['1', '2'].map((seed) => buildModel(architecture, createRng(seed)))
    const weights = await readWeights(source!)
    writeWeights(target!, weights)
    expect(await readWeights(target!)).toEqual(weights)
    source!.dispose()
    target!.dispose()
  })

  it('should be independent of the arrays afterwards', async () => {
    const model = buildModel(architecture, createRng('1'))
    const weights = await readWeights(model)
    writeWeights(model, weights)
    const before = weights[0]!.data[0]
    weights[0]!.data[0] = 99
    expect((await readWeights(model))[0]!.data[0]).toBe(before)
    model.dispose()
  })

  it('should refuse other shapes and change nothing', async () => {
    const model = buildModel(architecture, createRng('1'))
    const before = await readWeights(model)
    const wrong = before.map((weight, i) =>
      i === 2 ? { ...weight, shape: [2, 3] } : { ...weight, data: weight.data.map(() => 5) },
    )
    expect(() => writeWeights(model, wrong)).toThrow(
      'Weight 2 is fc2.kernel [2,3], not fc2.kernel [3,2].',
    )
    expect(await readWeights(model)).toEqual(before)
    model.dispose()
  })

  it('should leave no tensor behind', async () => {
    const model = buildModel(architecture, createRng('1'))
    await expectNoLeakAsync(async () => writeWeights(model, await readWeights(model)))
    model.dispose()
  })
})

describe('assertSameShapes', () => {
  const [a, b] = [
    { name: 'a', shape: [2, 3] },
    { name: 'b', shape: [] },
  ]

  it('should accept the same names and shapes in the same order', () => {
    expect(() => assertSameShapes([a, b], [a, b])).not.toThrow()
  })

  it.each([
    [[a], [a, b], 'Weight 1 is absent, not b [].'],
    [[a, b], [a], 'Weight 1 is b [], not absent.'],
    [[b, a], [a, b], 'Weight 0 is b [], not a [2,3].'],
    [[{ name: 'a', shape: [6] }], [a], 'Weight 0 is a [6], not a [2,3].'],
  ])('should name the first difference: %#', (actual, expected, message) => {
    expect(() => assertSameShapes(actual, expected)).toThrow(
      expect.objectContaining({
        code: 'GRAFT_SHAPE_MISMATCH',
        message: expect.stringContaining(message),
      }),
    )
  })
})

describe('assertFinite', () => {
  it.each([NaN, Infinity, -Infinity])('should name the weight that holds %s', (value) => {
    const weights = [{ name: 'a', shape: [2], data: Float32Array.of(1, value) }]
    expect(() => assertFinite(weights)).toThrow(
      expect.objectContaining({
        code: 'GRAFT_NOT_FINITE',
        message: expect.stringContaining(`a[1] is ${value}.`),
      }),
    )
  })

  it('should accept the largest float32', () => {
    const data = Float32Array.of(3.4028234663852886e38, -0)
    expect(() => assertFinite([{ name: 'a', shape: [2], data }])).not.toThrow()
  })
})

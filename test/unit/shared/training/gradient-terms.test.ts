import { beforeAll, describe, expect, it } from 'vitest'
import { buildModel } from '../../../../shared/model/build-model.ts'
import { readWeights, type Weights } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { fit, type FitOptions } from '../../../../shared/training/fit.ts'
import { blobExamples } from '../../../support/array-examples.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'
import { expectWithin } from '../../../support/expect-within.ts'
import {
  batchesOf,
  type Float64Weights,
  regressionGradient,
  softmaxRegression,
} from '../../../support/softmax-regression.ts'

const SHAPE = { inputShape: [4], numClasses: 3 }
const ARCHITECTURE = softmaxRegression(SHAPE)
const EXAMPLES = blobExamples(SHAPE, 20, 'examples')
const RATE = 0.1

beforeAll(startTestEngine)

describe('the proximal term', () => {
  it.each([0.01, 1])('should do what FedProx says with mu = %d, in float64', async (mu) => {
    const { start, end } = await trained({ proximal: { mu, center: await elsewhere() } })
    const center = toFloat64(await elsewhere())
    const expected = referenceSgd(start, (i, at, weight) => mu * (weight - center[i]![at]!))
    expectWithin(
      toFloat64(end).flatMap((data) => [...data]),
      expected,
      1e-5,
    )
    const without = referenceSgd(start, () => 0)
    expect(Math.max(...expected.map((value, i) => Math.abs(value - without[i]!)))).toBeGreaterThan(
      mu / 10,
    )
  })

  it.each(['adam', 'sgd'] as const)('should hold the weights near its center: %s', async (kind) => {
    const center = await startWeights()
    const distance = async (mu: number) => {
      const { end } = await trained({ optimizer: kind, epochs: 10, proximal: { mu, center } })
      const differences = end.flatMap(({ data }, i) =>
        [...data].map((w, at) => w - center[i]!.data[at]!),
      )
      return Math.hypot(...differences)
    }
    const [loose, tight] = [await distance(0.01), await distance(1)]
    expect(tight).toBeLessThan(0.7 * loose)
    expect(tight).toBeGreaterThan(0)
  })

  it('should refuse a center of another network, and leave no tensor behind', async () => {
    const center = await startWeights()
    await expectNoLeakAsync(async () => {
      await trained({ proximal: { mu: 1, center } })
      await expect(trained({ proximal: { mu: 1, center: center.slice(1) } })).rejects.toMatchObject(
        {
          code: 'GRAFT_SHAPE_MISMATCH',
          problem: expect.stringContaining('fc1.kernel is absent'),
        },
      )
      const odd = center.map((tensor) => ({ ...tensor, shape: [...tensor.shape].reverse() }))
      await expect(trained({ proximal: { mu: 1, center: odd } })).rejects.toMatchObject({
        code: 'GRAFT_SHAPE_MISMATCH',
        problem: expect.stringContaining('fc1.kernel is [3,4], and the weight is [4,3]'),
      })
    })
  })
})

describe('the correction', () => {
  it('should add one constant to every gradient and subtract another, in float64', async () => {
    const [add, subtract] = [await elsewhere('c'), await elsewhere('c_i')]
    const [c, own] = [toFloat64(add), toFloat64(subtract)]
    for (const correction of [{ add }, { add, subtract }]) {
      const { start, end } = await trained({ correction })
      const isOwn = 'subtract' in correction
      const expected = referenceSgd(start, (i, at) => c[i]![at]! - (isOwn ? own[i]![at]! : 0))
      expectWithin(
        toFloat64(end).flatMap((data) => [...data]),
        expected,
        1e-5,
      )
    }
  })

  it('should be added beside a proximal term', async () => {
    const [add, center] = [await elsewhere('c'), await elsewhere()]
    const { start, end } = await trained({ correction: { add }, proximal: { mu: 0.5, center } })
    const [c, middle] = [toFloat64(add), toFloat64(center)]
    expectWithin(
      toFloat64(end).flatMap((data) => [...data]),
      referenceSgd(start, (i, at, weight) => c[i]![at]! + 0.5 * (weight - middle[i]![at]!)),
      1e-5,
    )
  })

  it('should refuse what is of another network, and leave no tensor behind', async () => {
    const add = await elsewhere()
    await expectNoLeakAsync(async () => {
      await trained({ correction: { add, subtract: add } })
      for (const correction of [{ add: add.slice(1) }, { add, subtract: add.slice(1) }]) {
        await expect(trained({ correction })).rejects.toMatchObject({
          code: 'GRAFT_SHAPE_MISMATCH',
          problem: expect.stringContaining('fc1.kernel is absent'),
        })
      }
    })
  })
})

// Helpers

const SETTINGS = { epochs: 3, batchSize: 8, optimizer: 'sgd', learningRate: RATE } as const

async function trained(changes: Partial<FitOptions>): Promise<{ start: Weights; end: Weights }> {
  const model = buildModel(ARCHITECTURE, createRng('start'))
  try {
    const start = await readWeights(model)
    await fit(model, EXAMPLES, { ...SETTINGS, rng: createRng('order'), ...changes })
    return { start, end: await readWeights(model) }
  } finally {
    model.dispose()
  }
}

async function startWeights(): Promise<Weights> {
  return (await trained({ epochs: 0 })).start
}

/** Not where training starts, so that the term pulls from the first step on. */
async function elsewhere(seed = 'elsewhere'): Promise<Weights> {
  const rng = createRng(seed)
  return (await startWeights()).map((tensor) => ({
    ...tensor,
    data: tensor.data.map(() => rng.next() - 0.5),
  }))
}

/** sgd with momentum 0.9, and a term beside the gradient of the loss. */
function referenceSgd(
  start: Weights,
  term: (weight: number, at: number, value: number) => number,
): number[] {
  const weights = toFloat64(start)
  const velocity = weights.map((data) => new Float64Array(data.length))
  for (const batch of batchesOf(20, { ...SETTINGS, rng: createRng('order') })) {
    const gradient = regressionGradient(weights, EXAMPLES, batch)
    weights.forEach((data, i) =>
      data.forEach((value, at) => {
        velocity[i]![at] = 0.9 * velocity[i]![at]! + gradient[i]![at]! + term(i, at, value)
        data[at] = value - RATE * velocity[i]![at]
      }),
    )
  }
  return weights.flatMap((data) => [...data])
}

function toFloat64(weights: Weights): Float64Weights {
  return weights.map(({ data }) => Float64Array.from(data))
}

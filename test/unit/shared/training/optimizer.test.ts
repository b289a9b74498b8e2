import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { readWeights, writeWeights } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { createArrayOptimizer } from '../../../../shared/training/array-optimizer.ts'
import { createOptimizer } from '../../../../shared/training/optimizer.ts'
import {
  type Optimizer,
  OPTIMIZERS,
  type OptimizerSettings,
  type OptimizerState,
} from '../../../../shared/training/optimizer-settings.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'
import { expectWithin } from '../../../support/expect-within.ts'

const RATE = 0.01
const STEPS = 20
const START = Float32Array.of(0.5, -1, 2, 0, 0.1, 3)
// Sizes from 1e-4 to 10: Adam's steps must not depend on them.
const GRADIENTS = Array.from({ length: STEPS }, (_, step) => {
  const rng = createRng(`gradient ${step}`)
  return START.map((_, i) => (rng.next() - 0.3) * 10 ** (i - 4))
})

beforeAll(startTestEngine)

type Create = (
  variables: readonly tf.LayerVariable[],
  settings: OptimizerSettings,
  state: OptimizerState,
) => Promise<Optimizer>

describe.each<[string, Create]>([
  ['the optimiser of this engine', createOptimizer],
  ['the optimiser of plain arrays', createArrayOptimizer],
])('%s', (_, create) => {
  it('should do what Algorithm 1 of Kingma & Ba says, to float32', async () => {
    const expected = adamReference()
    const { weights, state } = await run(create, 'adam')
    expectWithin(weights, expected.weights, 1e-5)
    expectWithin(state.moments[0]![0]!, expected.m, 1e-6)
    expect(state.step).toBe(STEPS)
  })

  it('should agree with tf.train.adam', async () => {
    const variable = tf.variable(tf.tensor2d(START, [2, 3]), true, 'stock')
    const stock = tf.train.adam(RATE, 0.9, 0.999, 1e-8)
    for (const gradient of GRADIENTS) {
      tf.tidy(() =>
        stock.applyGradients([{ name: 'stock', tensor: tf.tensor2d(gradient, [2, 3]) }]),
      )
    }
    const { weights } = await run(create, 'adam')
    expectWithin(weights, await variable.data<'float32'>(), 1e-5)
    stock.dispose()
    variable.dispose()
  })

  it('should do momentum as v = 0.9 v + g, w -= rate v', async () => {
    const velocity = new Float64Array(START.length)
    const expected = Float64Array.from(START)
    for (const gradient of GRADIENTS) {
      for (const [i, g] of gradient.entries()) {
        velocity[i] = 0.9 * velocity[i]! + g
        expected[i]! -= RATE * velocity[i]
      }
    }
    const { weights, state } = await run(create, 'sgd')
    expectWithin(weights, expected, 1e-4)
    expectWithin(state.moments[0]![0]!, velocity, 1e-4)
  })

  it('should do plain sgd as w -= rate g', async () => {
    const expected = Float64Array.from(START)
    for (const gradient of GRADIENTS) {
      for (const [i, g] of gradient.entries()) expected[i]! -= RATE * g
    }
    const { weights, state } = await run(create, 'plain-sgd')
    expectWithin(weights, expected, 1e-5)
    expect(state.moments).toEqual([[]])
  })

  it.each(OPTIMIZERS)('should leave no tensor behind: %s', async (kind) => {
    await expectNoLeakAsync(() => run(create, kind))
  })
})

describe('createOptimizer', () => {
  it('should write nothing into the model before store', async () => {
    const model = oneLayer()
    const before = await readWeights(model)
    const optimizer = await createOptimizer(model.layers[0]!.trainableWeights, {
      optimizer: 'sgd',
      learningRate: RATE,
    })
    const gradient = tf.ones([2, 3])
    await optimizer.apply([gradient])
    expect(await readWeights(model)).toEqual(before)
    optimizer.store()
    // A later update must not reach the model through a shared buffer.
    const stored = await readWeights(model)
    expect(stored).not.toEqual(before)
    await optimizer.apply([gradient])
    expect(await readWeights(model)).toEqual(stored)
    optimizer.dispose()
    tf.dispose(gradient)
    model.dispose()
  })
})

// Helpers

/** Runs all gradients, half of them after a pause in which only the state is kept. */
async function run(create: Create, kind: OptimizerSettings['optimizer']) {
  const model = oneLayer()
  const variables = model.layers[0]!.trainableWeights
  const settings = { optimizer: kind, learningRate: RATE }
  const zeros = () => new Float32Array(START.length)
  let state: OptimizerState = {
    step: 0,
    moments: [{ adam: [zeros(), zeros()], sgd: [zeros()], 'plain-sgd': [] }[kind]],
  }
  for (const part of [GRADIENTS.slice(0, STEPS / 2), GRADIENTS.slice(STEPS / 2)]) {
    const optimizer = await create(variables, settings, state)
    for (const values of part) {
      const gradient = tf.tensor2d(values, [2, 3])
      await optimizer.apply([gradient])
      gradient.dispose()
    }
    optimizer.store()
    state = await optimizer.state()
    optimizer.dispose()
  }
  const [weight] = await readWeights(model)
  model.dispose()
  return { weights: weight!.data, state }
}

function adamReference() {
  const weights = Float64Array.from(START)
  const [m, v] = [new Float64Array(START.length), new Float64Array(START.length)]
  for (const [step, gradient] of GRADIENTS.entries()) {
    const t = step + 1
    for (const [i, g] of gradient.entries()) {
      m[i] = 0.9 * m[i]! + 0.1 * g
      v[i] = 0.999 * v[i]! + 0.001 * g * g
      const mHat = m[i] / (1 - 0.9 ** t)
      const vHat = v[i] / (1 - 0.999 ** t)
      weights[i]! -= (RATE * mHat) / (Math.sqrt(vHat) + 1e-8)
    }
  }
  return { weights, m }
}

function oneLayer(): tf.LayersModel {
  const model = tf.sequential({
    layers: [tf.layers.dense({ units: 3, inputShape: [2], useBias: false, name: 'fc1' })],
  })
  writeWeights(model, [{ name: 'fc1.kernel', shape: [2, 3], data: START }])
  return model
}

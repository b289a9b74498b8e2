import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Architecture } from '../../../../shared/model/architecture.ts'
import { parseArchitecture } from '../../../../shared/model/architectures.ts'
import { buildModel } from '../../../../shared/model/build-model.ts'
import { readWeights, writeWeights } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { evaluate } from '../../../../shared/training/evaluate.ts'
import { fit, type FitOptions, type FitState } from '../../../../shared/training/fit.ts'
import { OPTIMIZERS } from '../../../../shared/training/optimizer-settings.ts'
import { blobExamples } from '../../../support/array-examples.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'
import { expectWithin } from '../../../support/expect-within.ts'
import { softmaxRegression } from '../../../support/softmax-regression.ts'

const SHAPE = { inputShape: [6, 6, 1], numClasses: 3 }
// 50 examples in batches of 16: the last step of an epoch takes 2.
const EXAMPLES = blobExamples(SHAPE, 50, 'examples')

beforeAll(startTestEngine)

describe.each(OPTIMIZERS)('fit with %s', (optimizer) => {
  it('should learn what can be learnt', async () => {
    const model = newModel()
    const before = await evaluate(model, EXAMPLES)
    const result = await fit(model, EXAMPLES, options({ optimizer, epochs: 10 }))
    const after = await evaluate(model, EXAMPLES)
    expect(after.loss).toBeLessThan(before.loss / 2)
    expect(after.accuracy).toBeGreaterThan(0.95)
    expect(result.steps).toBe(40)
    expect(result.loss).toBeLessThan(before.loss)
    model.dispose()
  })

  it('should give the same bytes for the same seed, and others for another', async () => {
    const [a, b, c] = [
      await trained(options({ optimizer })),
      await trained(options({ optimizer })),
      await trained(options({ optimizer, rng: createRng('8') })),
    ]
    expect(a).toEqual(b)
    expect(a).not.toEqual(c)
  })

  it.each([1, 3, 4, 7])('should end with the same bytes when cut after step %i', async (cut) => {
    const whole = await trained(options({ optimizer }))
    const controller = new AbortController()
    let state: FitState | undefined
    const save = (checkpoint: FitState) => {
      state = checkpoint
      controller.abort(new Error('cut'))
    }
    const checkpoint = { everySteps: cut, save }
    const { signal } = controller
    await expect(trained(options({ optimizer, checkpoint, signal }))).rejects.toThrow('cut')
    expect(state?.step).toBe(cut)
    // Another model, as in another process: all that counts is in the checkpoint.
    const resumed = newModel('other weights')
    const result = await fit(resumed, EXAMPLES, options({ optimizer, resumeFrom: state! }))
    expect(await readWeights(resumed)).toEqual(whole)
    expect(result.steps).toBe(8)
    resumed.dispose()
  })

  it('should learn with adjusted logits what it learns with a bias that is so much larger', async () => {
    const shape = { inputShape: [4], numClasses: 3 }
    const examples = blobExamples(shape, 40, 'examples')
    const logPriors = Float32Array.of(-0.3, -1.5, -4)
    const learnt = async (own: Partial<FitOptions>, added: (c: number) => number) => {
      const model = buildModel(softmaxRegression(shape), createRng('start'))
      try {
        const [kernel, bias] = await readWeights(model)
        const data = bias!.data.map((b, c) => b + added(c))
        writeWeights(model, [kernel!, { ...bias!, data }])
        await fit(model, examples, options({ optimizer, epochs: 5, ...own }))
        return (await readWeights(model)).map((tensor) => [...tensor.data])
      } finally {
        model.dispose()
      }
    }
    const adjusted = await learnt({ logPriors }, () => 0)
    const biased = await learnt({}, (c) => logPriors[c]!)
    expectWithin(adjusted[0]!, biased[0]!, 1e-5)
    const less = biased[1]!.map((b, c) => b - logPriors[c]!)
    expectWithin(adjusted[1]!, less, 1e-5)
  })
})

describe('fit', () => {
  it.each(OPTIMIZERS)(
    'should take the share of the schedule at each step: %s',
    async (optimizer) => {
      const half = options({ optimizer, schedule: () => 0.5 })
      const { learningRate } = half
      const slower = options({ optimizer, learningRate: learningRate / 2 })
      expect(await trained(half)).toEqual(await trained(slower))
    },
  )

  it('should report each step, the last one of an epoch with the mean over its examples', async () => {
    const losses: number[] = []
    const seen: string[] = []
    const model = newModel()
    const onProgress: FitOptions['onProgress'] = ({ epoch, epochs, step, steps, loss }) => {
      seen.push(`${epoch}/${epochs} ${step}/${steps}`)
      losses.push(loss)
    }
    const result = await fit(model, EXAMPLES, options({ onProgress }))
    expect(seen).toEqual([
      ...['1/2 1/8', '1/2 2/8', '1/2 3/8', '1/2 4/8'],
      ...['2/2 5/8', '2/2 6/8', '2/2 7/8', '2/2 8/8'],
    ])
    expect(losses.at(-1)).toBe(result.loss)
    model.dispose()
  })

  it('should train on the loss it is given, with the indices of its batch', async () => {
    const seen: number[] = []
    const model = newModel()
    const loss = (logits: tf.Tensor2D, batch: Int32Array) => {
      seen.push(...batch)
      // Pulls every logit to 1.
      const distance = tf.sub<tf.Tensor2D>(logits, 1)
      const dLogits = tf.div<tf.Tensor2D>(distance, distance.size / 2)
      return { loss: tf.mean<tf.Scalar>(tf.square(distance)), dLogits }
    }
    await fit(model, EXAMPLES, options({ loss, epochs: 1 }))
    expect(seen.toSorted((a, b) => a - b)).toEqual([...EXAMPLES.labels.keys()])
    expect(seen).not.toEqual([...EXAMPLES.labels.keys()])
    const { loss: last } = await fit(model, EXAMPLES, options({ loss, epochs: 20 }))
    expect(last).toBeLessThan(0.1)
    model.dispose()
  })

  it('should give each epoch its own task, and tell when it is over', async () => {
    const model = newModel()
    const other = blobExamples(SHAPE, EXAMPLES.labels.length, 'other')
    const seen: unknown[] = []
    const curriculum = (epoch: number) => ({ examples: epoch === 2 ? other : EXAMPLES })
    const onEpoch = async (epoch: number) => {
      seen.push([epoch, await readWeights(model)])
      return epoch < 3
    }
    const settings = { optimizer: 'adam', curriculum } as const
    const { steps } = await fit(model, EXAMPLES, options({ ...settings, epochs: 5, onEpoch }))
    expect(steps).toBe(12)
    expect(await readWeights(model)).toEqual((seen[2] as unknown[])[1])
    for (const epochs of [1, 2, 3]) {
      expect(seen[epochs - 1]).toEqual([epochs, await trained(options({ ...settings, epochs }))])
    }
    expect(seen[1]).not.toEqual([2, await trained(options({ epochs: 2 }))])
    model.dispose()
  })

  it('should let timers run between steps', async () => {
    let ticks = 0
    const timer = setInterval(() => ticks++, 0)
    const model = newModel()
    await fit(model, EXAMPLES, options({ epochs: 60 }))
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(0)
    model.dispose()
  })

  it('should stop when the loss is not finite, and keep finite weights', async () => {
    const model = newModel()
    await expect(fit(model, EXAMPLES, options({ loss: infinite }))).rejects.toThrow(
      expect.objectContaining({ code: 'GRAFT_NOT_FINITE' }),
    )
    const weights = await readWeights(model)
    expect(weights.every(({ data }) => data.every(Number.isFinite))).toBe(true)
    model.dispose()
  })

  it('should refuse to train on nothing', async () => {
    const model = newModel()
    await expect(fit(model, blobExamples(SHAPE, 0, 'none'), options({}))).rejects.toThrow(
      RangeError,
    )
    model.dispose()
  })

  it('should refuse a checkpoint of another optimiser', async () => {
    const model = newModel()
    const states: FitState[] = []
    const save = (state: FitState) => void states.push(state)
    await fit(model, EXAMPLES, options({ optimizer: 'sgd', checkpoint: { everySteps: 4, save } }))
    await expect(
      fit(model, EXAMPLES, options({ optimizer: 'adam', resumeFrom: states[0]! })),
    ).rejects.toThrow(RangeError)
    model.dispose()
  })

  it('should leave no tensor behind, cut short or not', async () => {
    const model = newModel()
    await expectNoLeakAsync(() => fit(model, EXAMPLES, options({})))
    await expectNoLeakAsync(async () => {
      await expect(fit(model, EXAMPLES, options({ loss: infinite }))).rejects.toThrow()
    })
    model.dispose()
  })
})

// Helpers

/** Of no network. */
const infinite = (logits: tf.Tensor2D) => ({ loss: tf.scalar(Infinity), dLogits: logits })

function options(changes: Partial<FitOptions>): FitOptions {
  const rng = createRng('7')
  return { epochs: 2, batchSize: 16, optimizer: 'adam', learningRate: 0.02, rng, ...changes }
}

async function trained(fitOptions: FitOptions) {
  const model = newModel()
  try {
    await fit(model, EXAMPLES, fitOptions)
    return await readWeights(model)
  } finally {
    model.dispose()
  }
}

/** With batch normalisation, whose moving statistics training changes beside the weights. */
function newModel(seed = '7'): tf.LayersModel {
  const { layers, ...mlp } = parseArchitecture('mlp:36-12-3', SHAPE)
  const architecture: Architecture = {
    ...mlp,
    layers: [...layers.slice(0, 2), { kind: 'batch-norm', name: 'bn1' }, ...layers.slice(2)],
  }
  return buildModel(architecture, createRng(seed))
}

import * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  compare,
  fuse,
  type FuseInput,
  type FuseParent,
  partsOf,
} from '../../../../server/offline/fuse.ts'
import { STRATEGIES } from '../../../../server/fusion/strategies.ts'
import type { ProxyExamples, Strategy } from '../../../../server/fusion/strategy.ts'
import type { ExampleSet } from '../../../../shared/data/example-set.ts'
import { attribute } from '../../../../shared/attribution/attribute.ts'
import { readWeights, type Weights, writeWeights } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { blobExamples } from '../../../support/array-examples.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'

const SHAPE = { inputShape: [5], numClasses: 3 }
const METHODS = Object.values<Strategy>(STRATEGIES)
  .filter(({ isComparison, onlyInRounds }) => isComparison !== true && onlyInRounds === undefined)
  // The paper's 10,000 steps show no more here.
  .map(({ name }) => (name === 'feddf' ? 'feddf:steps=100' : name))
/** They leave parents out, so that two are too few. */
const CROWDS = ['trimmed-mean', 'krum']

let model: tf.LayersModel
let parents: (FuseParent & { weights: Weights })[]
let proxy: ExampleSet

beforeAll(async () => {
  await startTestEngine()
  model = network()
  proxy = blobExamples(SHAPE, 60, 'proxy')
  parents = await Promise.all(['a', 'b'].map(async (id) => ({ id, weights: await weightsOf(id) })))
})
afterAll(() => model.dispose())

describe('compare', () => {
  it('should tell a network from its copy and from another one', async () => {
    const [a, b] = parents
    const apart = await compare({ model, parents: [a!, b!], proxy })
    expect(apart!.pairs[0]!.weightDistance).toBeGreaterThan(0.5)
    const alike = await compare({ model, parents: [a!, { ...a!, id: 'copy' }], proxy })
    expect(alike!.pairs[0]).toMatchObject({ weightDistance: 0, disagreement: 0 })
    expect(alike!.forecast!.isDiverseEnough).toBe(false)
    expect(await compare({ model, parents: [a!] })).toBeNull()
    expect((await compare({ model, parents: [a!, b!] }))!.forecast).toBeNull()
  })

  it('should refuse what fuse refuses', async () => {
    const odd = blobExamples({ inputShape: [4], numClasses: 3 }, 12, 'odd')
    await expect(compare({ model, parents, proxy: odd })).rejects.toMatchObject({
      code: 'GRAFT_SHAPE_MISMATCH',
    })
    await expect(compare({ model, parents: [] })).rejects.toMatchObject({
      code: 'GRAFT_OPTION_INVALID',
    })
  })
})

describe('fuse', () => {
  it.each(METHODS)('should fuse networks by %s', async (method) => {
    const others = ['c', 'd', 'e'].map(async (id) => ({ id, weights: await weightsOf(id) }))
    const cohort = CROWDS.includes(method) ? [...parents, ...(await Promise.all(others))] : parents
    const fusion = await fuse(input({ method, parents: cohort }))
    const { weights, ledger } = fusion
    expect(weights.map(({ name, shape }) => ({ name, shape }))).toEqual(
      parents[0]!.weights.map(({ name, shape }) => ({ name, shape })),
    )
    expect(weights.every(({ data }) => data.every(Number.isFinite))).toBe(true)
    expect(ledger.parents).toEqual(cohort.map(({ id }) => id))
    expect(ledger.groups.map(({ neurons }) => neurons.length)).toEqual([6])
    // The same again: the parents were not changed, and no chance is left.
    expect(await fuse(input({ method, parents: cohort }))).toEqual(fusion)
  })

  it.each(CROWDS)('should refuse two networks by %s, saying what to do', async (method) => {
    await expect(fuse(input({ method }))).rejects.toThrow(/take more parents/)
  })

  it.each([
    ['fedprox', 'trained: take fedavg'],
    ['fedavgm', 'have none: take fedavg'],
    ['fedadam', 'have none: take fedavg'],
    ['scaffold', 'have none: take fedavg'],
  ])('should refuse %s, which is for rounds, saying why', async (method, why) => {
    await expect(fuse(input({ method }))).rejects.toMatchObject({
      code: 'GRAFT_STRATEGY_UNKNOWN',
      problem: expect.stringContaining(why),
    })
  })

  it('should take models of the same layers for weights, whatever the layers are called', async () => {
    const models = await Promise.all(parents.map(({ weights }) => modelWith(weights)))
    expect(models[0]!.layers[0]!.name).not.toBe(model.layers[0]!.name)
    const given = models.map((weights, i) => ({ id: parents[i]!.id, weights }))
    const ofModels = await fuse(input({ parents: given }))
    models.forEach((each) => each.dispose())
    expect(ofModels).toEqual(await fuse(input({})))
  })

  it('should score neurons as attribute does, for parents that bring no scores', async () => {
    const scored: FuseParent[] = []
    for (const parent of parents) {
      const own = await modelWith(parent.weights)
      scored.push({ ...parent, scores: await attribute('conductance', own, proxy) })
      own.dispose()
    }
    const options = { importance: 'attribution' }
    const brought = await fuse(input({ method: 'nt', options, parents: scored }))
    const computed = await fuse(input({ method: 'nt', options, scores: 'conductance' }))
    expect(computed).toEqual(brought)
    await expect(fuse(input({ method: 'nt', options }))).rejects.toThrow(/score for each neuron/)
  })

  it.each([
    ['kf-linear', [4], 3, '[4] of 3 classes, and the model takes [5] and tells 3'],
    ['nt', [5], 4, '[5] of 4 classes'],
    ['kf-linear', [5, 1], 3, '[5,1] of 3 classes'],
  ])('should refuse a proxy set that the model cannot take: %s', async (...given) => {
    const [method, inputShape, numClasses, problem] = given
    const odd = blobExamples({ inputShape, numClasses }, 12, 'odd')
    await expect(fuse(input({ method, proxy: odd }))).rejects.toMatchObject({
      code: 'GRAFT_SHAPE_MISMATCH',
      problem: expect.stringContaining(problem),
    })
  })

  it('should weigh the head by the class counts', async () => {
    const classCounts = [
      [9, 0, 0],
      [0, 5, 4],
    ]
    const counted = parents.map((parent, i) => ({ ...parent, classCounts: classCounts[i]! }))
    const { weights } = await fuse(input({ method: 'nt', parents: counted }))
    const bias = (of: Weights) => [...of.at(-1)!.data]
    const [a, b] = parents.map((parent) => bias(parent.weights))
    expect(bias(weights)).toEqual([a![0], b![1], b![2]])
  })

  it('should take options beside the method and in it', async () => {
    const inside = await fuse(input({ method: 'nt:variant=prune-merge' }))
    expect(await fuse(input({ method: 'nt', options: { variant: 'prune-merge' } }))).toEqual(inside)
    await expect(fuse(input({ method: 'nt', options: { variant: 'no' } }))).rejects.toThrow(
      /variant=no.*GRAFT_STRATEGY_UNKNOWN/,
    )
  })

  it('should refuse two parents of one name', async () => {
    const twice = [parents[0]!, parents[0]!]
    await expect(fuse(input({ parents: twice }))).rejects.toThrow(/named a.*GRAFT_OPTION_INVALID/)
  })

  it('should end as soon as it is told to', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(fuse(input({ signal, scores: 'conductance' }))).rejects.toThrow('enough')
  })

  it('should leave no tensor alive', async () => {
    await expectNoLeakAsync(() => fuse(input({ scores: 'conductance' })))
  })
})

describe('partsOf', () => {
  it('should hold examples out only for a method that judges by them', () => {
    const rng = createRng('split')
    const sizes = ({ train, heldOut }: ProxyExamples) => [
      train.labels.length,
      heldOut.labels.length,
    ]
    expect(sizes(partsOf(proxy, {}, rng))).toEqual([60, 0])
    expect(sizes(partsOf(proxy, { usesHeldOut: true }, rng))).toEqual([48, 12])
    const split = { train: proxy, heldOut: proxy }
    expect(partsOf(split, {}, rng)).toBe(split)
  })
})

// Helpers

const input = (given: Partial<FuseInput>): FuseInput => ({
  ...{ method: 'kf-linear', model, parents, proxy },
  ...given,
})

function network(): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.dense({ units: 6, activation: 'relu', inputShape: SHAPE.inputShape }),
      tf.layers.dense({ units: SHAPE.numClasses }),
    ],
  })
}

/** Weights under the names of `model`. */
async function weightsOf(seed: string): Promise<Weights> {
  const rng = createRng(seed)
  const weights = await readWeights(model)
  return weights.map((tensor) => ({ ...tensor, data: tensor.data.map(() => rng.next() - 0.5) }))
}

/** A network of its own, whose layers tfjs names anew. */
async function modelWith(weights: Weights): Promise<tf.LayersModel> {
  const made = network()
  const own = await readWeights(made)
  writeWeights(
    made,
    own.map((tensor, i) => ({ ...tensor, data: weights[i]!.data })),
  )
  return made
}

import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { neuronTransplantation } from '../../../../server/fusion/neuron-transplantation.ts'
import type { Fusion, Parent } from '../../../../server/fusion/strategy.ts'
import { SelfAttention } from '../../../../shared/model/layers/self-attention.ts'
import {
  type NeuronGraph,
  neuronGraph,
  shapesWith,
  widthsOf,
} from '../../../../shared/model/neuron-graph.ts'
import { positionsOf } from '../../../../shared/model/neurons.ts'
import { sizeOf, type Weights } from '../../../../shared/model/weights.ts'
import { createRng, type Rng } from '../../../../shared/numeric/rng.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { logitsOf } from '../../../support/logits-of.ts'
import { permuteGroup } from '../../../support/permute-group.ts'
import {
  networkPlans,
  randomInputs,
  randomModel,
  randomWeights as trainedWeights,
} from '../../../support/random-network.ts'
import { fusionOf, parentOf, randomWeights } from '../../../support/plain-networks.ts'

type Build = (widths: readonly [number, number]) => tf.LayersModel

/**
 * Networks of two widths, and whether networks side by side compute the mean: not where all parents have to
 * share a normalisation of the input, nor where layer normalisation sees all neurons at once.
 */
const NETWORKS: Readonly<Record<string, { build: Build; isExact: boolean }>> = {
  'a residual block': { build: residual, isExact: true },
  'a bottleneck of depthwise convolutions': { build: depthwise, isExact: true },
  'paths that are concatenated, the input among them': { build: paths, isExact: true },
  'a normalised input': { build: normalisedInput, isExact: false },
  'attention without normalisation': { build: (of) => attention(of, false), isExact: true },
  'attention with layer normalisation': { build: (of) => attention(of, true), isExact: false },
}
const seeds = fc.string({ maxLength: 6 })

beforeAll(startTestEngine)

describe.each(Object.entries(NETWORKS))('nt on %s', (name, { build, isExact }) => {
  it('should give the one parent back', async () => {
    const { graph, weights } = networksOf(build, [4, 2], ['one'])
    const fused = await nt([parentOf('a', weights[0]!)], graph)
    expect(fused.weights).toEqual(weights[0])
  })

  it('should take over one neuron of one parent for each', async () => {
    const { graph, weights } = networksOf(build, [4, 2], ['a', 'b', 'c'])
    const { ledger } = await nt(parentsOf(weights), graph)
    const hidden = graph.groups.filter(({ isHead }) => !isHead)
    expect(ledger.groups.map((of) => of.name)).toEqual(hidden.map((of) => of.name))
    ledger.groups.forEach(({ neurons }, group) => {
      expect(neurons.every((made) => made.length === 1 && made[0]!.share === 1)).toBe(true)
      expect(neurons).toHaveLength(hidden[group]!.width)
      const origins = neurons.map(([made]) => `${made!.parent}/${made!.neuron}`)
      expect(new Set(origins).size).toBe(origins.length)
    })
  })

  it.each(isExact ? [name] : [])('should compute the mean of the logits of %s', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.integer({ min: 2, max: 4 }), async (seed, count) => {
        const ids = Array.from({ length: count }, (_, k) => `${seed}${k}`)
        const { weights, x } = networksOf(build, [4, 2], ids)
        const wide = graphOf(build([4 * count, 2 * count]))
        const fused = await nt(parentsOf(weights), wide, { head: 'mean' })
        await expectMean(fused.weights, { graph: wide, weights, x })
        x.dispose()
      }),
      { numRuns: 8 },
    )
  })

  it('should leave the function alone when a parent’s neurons are permuted', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.constantFrom('l1', 'l2'), async (seed, importance) => {
        const { graph, weights, x } = networksOf(build, [4, 2], [`${seed}a`, `${seed}b`])
        const rng = createRng(seed)
        const permuted = permuteAll(weights[1]!, graph, rng)
        const fuseWith = (second: Weights) =>
          nt(parentsOf([weights[0]!, second]), graph, { importance, order: 'sequential' })
        const [one, other] = [await fuseWith(weights[1]!), await fuseWith(permuted)]
        expectClose(await logits(graph, other.weights, x), await logits(graph, one.weights, x))
        x.dispose()
      }),
      { numRuns: 8 },
    )
  })
})

describe('nt on random networks', () => {
  it('should compute the mean of the logits when nothing is pruned', async () => {
    let compared = 0
    await fc.assert(
      fc.asyncProperty(networkPlans(['layerNorm']), async (plan) => {
        const graph = graphOf(randomModel(plan))
        if (!canStandSideBySide(graph)) return
        compared++
        const weights = drawn(graph, ['a', 'b', 'c'])
        const x = randomInputs(plan, 4)
        const wide = widened(graph, 3)
        const fused = await nt(parentsOf(weights), wide, { head: 'mean' })
        await expectMean(fused.weights, { graph, weights, x })
        x.dispose()
      }),
      { numRuns: 60 },
    )
    expect(compared).toBeGreaterThan(10)
  })

  it('should give one parent back, and the same function for permuted parents', async () => {
    await fc.assert(
      fc.asyncProperty(networkPlans(), async (plan) => {
        const graph = graphOf(randomModel(plan))
        if (graph.groups.some(({ isFixed, isHead }) => isFixed && !isHead)) return
        const weights = drawn(graph, ['a', 'b'])
        const x = randomInputs(plan, 4)
        expect((await nt([parentOf('a', weights[0]!)], graph)).weights).toEqual(weights[0])
        const permuted = permuteAll(weights[1]!, graph, createRng(plan.seed))
        const [one, other] = [
          await nt(parentsOf(weights), graph),
          await nt(parentsOf([weights[0]!, permuted]), graph),
        ]
        expectClose(await logits(graph, other.weights, x), await logits(graph, one.weights, x))
        x.dispose()
      }),
      { numRuns: 60 },
    )
  })
})

describe('nt', () => {
  it('should take the mean of what belongs to no neuron: a normalisation of the input', async () => {
    const { graph, weights } = networksOf(normalisedInput, [4, 2], ['a', 'b', 'c', 'd'])
    const fused = await nt(parentsOf(weights), graph)
    for (const name of ['gamma', 'beta', 'movingMean', 'movingVariance']) {
      const of = (network: Weights) => network.find((tensor) => tensor.name === `bn.${name}`)!.data
      of(fused.weights).forEach((value, i) => {
        const mean = weights.reduce((sum, network) => sum + of(network)[i]!, 0) / 4
        expect(value).toBeCloseTo(mean, 6)
      })
    }
  })

  it('should refuse neurons that are added to the input', async () => {
    const inputs = tf.input({ shape: [3] })
    const made = tf.layers.dense({ name: 'made', units: 3 }).apply(inputs) as tf.SymbolicTensor
    const sum = tf.layers.add({ name: 'sum' }).apply([inputs, made])
    const outputs = tf.layers.dense({ name: 'head', units: 2 }).apply(sum) as tf.SymbolicTensor
    const graph = graphOf(tf.model({ inputs, outputs }))
    const parent = parentOf('a', randomWeights(graph, createRng('a')))
    await expect(nt([parent], graph)).rejects.toMatchObject({
      code: 'GRAFT_STRATEGY_UNSUITABLE',
      problem:
        "nt cannot choose neurons of made: they are added to the network's input, or to neurons that take up other places.",
    })
  })

  it('should refuse a head with a normalisation behind it', async () => {
    const inputs = tf.input({ shape: [3] })
    const logits = tf.layers.dense({ name: 'head', units: 2 }).apply(inputs)
    const outputs = tf.layers.batchNormalization({ name: 'behind' }).apply(logits)
    const graph = graphOf(tf.model({ inputs, outputs: outputs as tf.SymbolicTensor }))
    const parent = parentOf('a', randomWeights(graph, createRng('a')))
    await expect(nt([parent], graph)).rejects.toMatchObject({
      code: 'GRAFT_STRATEGY_UNSUITABLE',
      problem: expect.stringContaining('stands behind head'),
    })
  })
})

// Helpers

const nt = (
  parents: readonly Parent[],
  graph: NeuronGraph,
  options: Record<string, string> = {},
): Promise<Fusion> => neuronTransplantation.fuse(fusionOf(parents, graph, options))

function residual([stream, inner]: readonly [number, number]): tf.LayersModel {
  const inputs = tf.input({ shape: [4, 4, 2] })
  const conv = (name: string, filters: number, x: tf.SymbolicTensor) =>
    tf.layers
      .conv2d({ name, filters, kernelSize: 3, padding: 'same' })
      .apply(x) as tf.SymbolicTensor
  const stem = conv('stem', stream, inputs)
  const normal = tf.layers.batchNormalization({ name: 'bn' }).apply(conv('inner', inner, stem))
  const active = tf.layers.reLU().apply(normal) as tf.SymbolicTensor
  const sum = tf.layers.add({ name: 'sum' }).apply([stem, conv('back', stream, active)])
  const flat = tf.layers.flatten().apply(sum)
  const outputs = tf.layers.dense({ name: 'head', units: 3 }).apply(flat) as tf.SymbolicTensor
  return tf.model({ inputs, outputs })
}

function depthwise([first, second]: readonly [number, number]): tf.LayersModel {
  const model = tf.sequential()
  model.add(tf.layers.conv2d({ inputShape: [5, 5, 2], name: 'in', filters: first, kernelSize: 1 }))
  model.add(tf.layers.depthwiseConv2d({ name: 'deep', kernelSize: 3, depthMultiplier: 2 }))
  model.add(tf.layers.reLU())
  model.add(tf.layers.conv2d({ name: 'out', filters: second, kernelSize: 2 }))
  model.add(tf.layers.flatten())
  model.add(tf.layers.dense({ name: 'head', units: 3 }))
  return model
}

function paths([first, second]: readonly [number, number]): tf.LayersModel {
  const inputs = tf.input({ shape: [3] })
  const one = tf.layers.dense({ name: 'one', units: first, activation: 'relu' }).apply(inputs)
  const two = tf.layers.dense({ name: 'two', units: second, activation: 'tanh' }).apply(one)
  const all = [two, inputs, one] as tf.SymbolicTensor[]
  const both = tf.layers.concatenate({ name: 'both' }).apply(all)
  const outputs = tf.layers.dense({ name: 'head', units: 3 }).apply(both) as tf.SymbolicTensor
  return tf.model({ inputs, outputs })
}

function normalisedInput([first, second]: readonly [number, number]): tf.LayersModel {
  const model = tf.sequential()
  model.add(tf.layers.batchNormalization({ inputShape: [3], name: 'bn' }))
  model.add(tf.layers.dense({ name: 'one', units: first, activation: 'relu' }))
  model.add(tf.layers.dense({ name: 'two', units: second, activation: 'relu' }))
  model.add(tf.layers.dense({ name: 'head', units: 3 }))
  return model
}

function attention(
  [stream, numHeads]: readonly [number, number],
  isNormal: boolean,
): tf.LayersModel {
  const inputs = tf.input({ shape: [3, 2] })
  const made = tf.layers.dense({ name: 'tokens', units: stream }).apply(inputs)
  const normal = isNormal ? tf.layers.layerNormalization({ name: 'ln' }).apply(made) : made
  const mixed = new SelfAttention({ name: 'mix', numHeads, headDim: 3, units: stream }).apply(
    normal,
  )
  const sum = tf.layers.add({ name: 'sum' }).apply([made, mixed] as tf.SymbolicTensor[])
  const pooled = tf.layers.globalAveragePooling1d({ name: 'pool' }).apply(sum)
  const outputs = tf.layers.dense({ name: 'head', units: 3 }).apply(pooled) as tf.SymbolicTensor
  return tf.model({ inputs, outputs })
}

/** That the fused network gives the mean of the parents' logits. */
async function expectMean(
  fused: Weights,
  { graph, weights, x }: { graph: NeuronGraph; weights: readonly Weights[]; x: tf.Tensor },
): Promise<void> {
  const each: Float32Array[] = []
  for (const of of weights) each.push(await logits(graph, of, x))
  const mean = each[0]!.map((_, i) => each.reduce((sum, of) => sum + of[i]!, 0) / each.length)
  expectClose(await logits(graph, fused, x), mean)
}

function expectClose(actual: Float32Array, expected: Float32Array): void {
  expect(actual).toHaveLength(expected.length)
  const largest = expected.reduce((most, of) => Math.max(most, Math.abs(of)), 1)
  actual.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-4 * largest)
  })
}

/** Moves the neurons of every group but the classes. */
function permuteAll(weights: Weights, graph: NeuronGraph, rng: Rng): Weights {
  return graph.groups
    .filter(({ isFixed }) => !isFixed)
    .reduce((of: Weights, group) => {
      const order = rng.shuffle(Array.from({ length: group.width }, (_, i) => i))
      return permuteGroup(of, graph, group, order)
    }, weights)
}

/** The same network with room for the neurons of `count` networks; a graph of ops runs at any width. */
function widened(graph: NeuronGraph, count: number): NeuronGraph {
  const groups = graph.groups.map((group) => ({
    ...group,
    width: group.isFixed ? group.width : group.width * count,
  }))
  const widths = groups.map(({ width }) => width)
  return { ...graph, groups, weights: shapesWith(graph, widths) }
}

/**
 * Whether each number is some parent's own: no neuron is added to the input, nor is the input normalised, alone
 * or beside neurons, as nothing says whose normalisation a network that has it once should take.
 */
function canStandSideBySide(graph: NeuronGraph): boolean {
  const { groups, weights, axes } = graph
  if (groups.some(({ isFixed, isHead }) => isFixed && !isHead)) return false
  return weights.every(({ name }) =>
    axes
      .get(name)
      ?.some(({ layout }) => positionsOf(layout, widthsOf(graph)).group.every((of) => of !== -1)),
  )
}

function graphOf(model: tf.LayersModel): NeuronGraph {
  const graph = neuronGraph(model)
  model.dispose()
  return graph
}

/** Networks of these widths with seeded weights, variances positive, and inputs that the caller owns. */
function networksOf(build: Build, widths: readonly [number, number], seeds: readonly string[]) {
  const model = build(widths)
  const inputShape = model.inputs[0]!.shape.slice(1) as number[]
  const graph = graphOf(model)
  const weights = seeds.map((seed) =>
    randomWeights(graph, createRng(seed)).map((tensor) =>
      tensor.name.endsWith('Variance')
        ? { ...tensor, data: tensor.data.map((value) => 1 + value * value) }
        : tensor,
    ),
  )
  const rng = createRng('inputs')
  const values = Float32Array.from({ length: 5 * sizeOf(inputShape) }, () => 2 * rng.next() - 1)
  return { graph, weights, x: tf.tensor(values, [5, ...inputShape]) }
}

const drawn = (graph: NeuronGraph, seeds: readonly string[]): Weights[] =>
  seeds.map((seed) => trainedWeights(graph.weights, createRng(seed)))

const parentsOf = (weights: readonly Weights[]): Parent[] =>
  weights.map((of, k) => parentOf(`p${k}`, of, { classCounts: [1, 1, 1] }))

async function logits(graph: NeuronGraph, weights: Weights, x: tf.Tensor): Promise<Float32Array> {
  const tensor = logitsOf(graph.ops, weights, x)
  const values = await tensor.data<'float32'>()
  tensor.dispose()
  return values
}

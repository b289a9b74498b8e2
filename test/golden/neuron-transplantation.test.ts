import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Choice, chooseNeurons } from '../../server/fusion/choose-neurons.ts'
import { type Network, networkOf } from '../../server/fusion/network.ts'
import {
  neuronTransplantation,
  transplantParents,
} from '../../server/fusion/neuron-transplantation.ts'
import { headWeights, scaleHead } from '../../server/fusion/scale-head.ts'
import type { Parent } from '../../server/fusion/strategy.ts'
import { transplant } from '../../server/fusion/transplant.ts'
import type { Architecture } from '../../shared/model/architecture.ts'
import { buildModel } from '../../shared/model/build-model.ts'
import { type Level, levelsOf } from '../../shared/model/levels.ts'
import { type Weights, writeWeights } from '../../shared/model/weights.ts'
import { createRng } from '../../shared/numeric/rng.ts'
import { startTestEngine } from '../support/engine.ts'
import {
  architectureOf,
  type Fixture,
  floats,
  inputsOf,
  integers,
  loadFixture,
  parentWeights,
  weightsUnder,
} from './fixture.ts'

const ORDERS = ['upfront', 'sequential'] as const
type Order = (typeof ORDERS)[number]

/** `as_coded` keeps one neuron fewer a level than `exact_width` when there are three parents. */
const CASES = [
  ['b_nt_mlp2', 'as_coded'],
  ['b_nt_mlp2_nobias', 'as_coded'],
  ['b_nt_mlp3', 'as_coded'],
  ['b_nt_mlp3', 'exact_width'],
  ['b_nt_conv2', 'as_coded'],
  ['b_nt_convbn2', 'as_coded'],
] as const

beforeAll(startTestEngine)

describe.each(CASES)('merge-prune of %s, %s', (name, widths) => {
  const fixture = loadFixture(name)

  describe.each(ORDERS)('%s', (order) => {
    const prefix = `expected.${order}.${widths}`
    const architecture = withWidths(fixture, keptCounts(fixture, `${order}.${widths}`))

    it('should score and choose as the reference does', () => {
      expectChoice(fixture, {
        prefix,
        choices: choose(fixture, architecture, order),
        levels: hiddenLevels(architecture),
      })
    })

    // Where the reference gave the same weights in both orders, they are recorded once.
    const recorded = hasTensor(fixture, `${prefix}.fused.`) ? prefix : `expected.upfront.${widths}`

    it('should give the weights of the reference', async () => {
      expectWeights(
        await fuse(fixture, architecture, { order, tree: 'joint' }),
        weightsUnder(fixture, `${recorded}.fused.`, architecture),
      )
    })

    it('should give the logits of the reference', async () => {
      const weights = await fuse(fixture, architecture, { order, tree: 'joint' })
      expectAll(
        logits(fixture, architecture, weights),
        floats(fixture, `${recorded}.fused_logits`),
        {
          atol: 1e-4,
        },
      )
    })
  })
})

describe.each(['b_nt_mlp2', 'b_nt_mlp2_nobias', 'b_nt_mlp3', 'b_nt_conv2', 'b_nt_convbn2'])(
  '%s',
  (name) => {
    const fixture = loadFixture(name)

    it('should concatenate to the weights and the mean of the logits, when nothing is pruned', async () => {
      const parents = fixture.json.k!
      const whole = withWidths(
        fixture,
        Object.fromEntries(
          hiddenLevels(architectureOf(fixture)).map(({ layer, width }) => [layer, width * parents]),
        ),
      )
      const weights = await fuse(fixture, whole, { tree: 'joint' })
      expectWeights(weights, weightsUnder(fixture, 'expected.concat.', whole))
      const actual = logits(fixture, whole, weights)
      expectAll(actual, floats(fixture, 'expected.concat_logits'), { atol: 1e-4 })
      expectAll(actual, floats(fixture, 'mean_parent_logits'), { atol: 1e-4 })
    })

    it('should prune, then merge, as the reference does', async () => {
      const prefix = 'expected.prune_then_merge'
      const counts = hiddenLevels(architectureOf(fixture)).map(({ layer }) => [
        layer,
        fixture.tensors.get(`${prefix}.${layer}.weight`)!.shape[0]!,
      ])
      const architecture = withWidths(fixture, Object.fromEntries(counts) as Record<string, number>)
      expectWeights(
        await fuse(fixture, architecture, { variant: 'prune-merge', tree: 'joint' }),
        weightsUnder(fixture, `${prefix}.`, architecture),
      )
    })
  },
)

describe.each(ORDERS)('b_nt_hier4, %s', (order) => {
  const fixture = loadFixture('b_nt_hier4')
  const architecture = architectureOf(fixture)
  const levels = levelsIn(architecture)

  it('should give the weights and origins of the reference', async () => {
    const input = { parents: parentsOf(fixture), levels, options: { order, head: 'mean' } }
    const fused = await transplantParents(input)
    expectWeights(
      [...fused.weights.values()],
      weightsUnder(fixture, `expected.${order}.fused.`, architecture),
    )
    for (const { index, layer } of hiddenLevels(architecture)) {
      const origins = fused.origins[index]!
      const kept = (what: string) => [...integers(fixture, `expected.${order}.${what}.${layer}`)]
      expect(origins.map(({ parent }) => Number(parent))).toEqual(kept('kept_model'))
      expect(origins.map(({ neuron }) => neuron)).toEqual(kept('kept_neuron'))
    }
  })

  it('should score every merge as the reference does', () => {
    const rules = rulesOf(architecture, order)
    const parents = parentsOf(fixture).map((parent, k) =>
      networkOf(parent, parentWeights(fixture, k), levels),
    )
    const halves = [parents.slice(0, 2), parents.slice(2)]
    const merges = [...halves, halves.map((half) => transplant(half, levels, rules))]
    merges.forEach((networks, step) => {
      const choices = chooseNeurons(scaled(networks, levels), levels, rules)
      for (const { index, layer } of hiddenLevels(architecture)) {
        expectAll(
          choices[index]!.importance.flatMap((values) => [...values]),
          floats(fixture, `expected.${order}.step${step}.importance.${layer}`),
          { rtol: 1e-4 },
        )
      }
    })
  })
})

// Helpers

function fuse(
  fixture: Fixture,
  architecture: Architecture,
  options: Record<string, string>,
): Promise<Weights> {
  return neuronTransplantation.fuse({
    parents: parentsOf(fixture),
    levels: levelsIn(architecture),
    options: { head: 'mean', ...options },
  })
}

function choose(fixture: Fixture, architecture: Architecture, order: Order): Choice[] {
  const levels = levelsIn(architecture)
  const networks = parentsOf(fixture).map((parent, k) =>
    networkOf(parent, parentWeights(fixture, k), levels),
  )
  return chooseNeurons(scaled(networks, levels), levels, rulesOf(architecture, order))
}

function scaled(networks: readonly Network[], levels: readonly Level[]): Network[] {
  const weights = headWeights(networks, 'mean')
  return networks.map((network, k) => scaleHead(network, levels.at(-1)!, weights[k]!))
}

function rulesOf(architecture: Architecture, order: Order) {
  return {
    variant: 'merge-prune',
    importance: 'l2',
    head: 'mean',
    order,
    widths: levelsIn(architecture).map(({ width }) => width),
  } as const
}

function parentsOf(fixture: Fixture): Parent[] {
  const { numClasses } = architectureOf(fixture)
  return Array.from({ length: fixture.json.k! }, (_, k) => ({
    id: `${k}`,
    numExamples: 1,
    classCounts: new Array<number>(numClasses).fill(1),
    scores: [],
    load: async () => parentWeights(fixture, k),
  }))
}

function levelsIn(architecture: Architecture): Level[] {
  const model = buildModel(architecture, createRng('levels'))
  const levels = levelsOf(model)
  model.dispose()
  return levels
}

const hiddenLevels = (architecture: Architecture): Level[] =>
  levelsIn(architecture).filter(({ isHead }) => !isHead)

/** The fixture's network with other widths, by layer. */
function withWidths(fixture: Fixture, widths: Readonly<Record<string, number>>): Architecture {
  const architecture = architectureOf(fixture)
  const layers = architecture.layers.map((layer) => {
    if (layer.kind === 'dense') return { ...layer, units: widths[layer.name] ?? layer.units }
    if (layer.kind === 'conv2d') return { ...layer, filters: widths[layer.name] ?? layer.filters }
    return layer
  })
  return { ...architecture, layers }
}

function keptCounts({ json }: Fixture, variant: string): Record<string, number> {
  const fused = json['fused'] as Record<string, { kept_counts: Record<string, number> }>
  return fused[variant]!.kept_counts
}

function hasTensor({ tensors }: Fixture, prefix: string): boolean {
  return [...tensors.keys()].some((name) => name.startsWith(prefix))
}

function logits(fixture: Fixture, architecture: Architecture, weights: Weights): Float32Array {
  const model = buildModel(architecture, createRng('logits'))
  writeWeights(model, weights)
  const data = tf.tidy(() => {
    const x = tf.tensor(inputsOf(fixture), [8, ...architecture.inputShape])
    return (model.predict(x) as tf.Tensor).dataSync<'float32'>()
  })
  model.dispose()
  return data
}

function expectChoice(
  fixture: Fixture,
  { prefix, choices, levels }: { prefix: string; choices: Choice[]; levels: Level[] },
): void {
  for (const { index, layer } of levels) {
    const { kept, importance } = choices[index]!
    const of = (what: string) => [...integers(fixture, `${prefix}.${what}.${layer}`)]
    expect(kept.flatMap((neurons, k) => Array.from(neurons, () => k))).toEqual(of('kept_model'))
    expect(kept.flatMap((neurons) => [...neurons])).toEqual(of('kept_neuron'))
    const recorded = floats(fixture, `${prefix}.importance.${layer}`)
    expectAll(
      importance.flatMap((values) => [...values]),
      recorded,
      { rtol: 1e-4 },
    )
  }
}

function expectWeights(actual: Weights, expected: Weights): void {
  expect(actual.map(({ name, shape }) => ({ name, shape }))).toEqual(
    expected.map(({ name, shape }) => ({ name, shape })),
  )
  actual.forEach(({ data }, w) => {
    expectAll(data, expected[w]!.data, { atol: 1e-6 })
  })
}

function expectAll(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { atol = 0, rtol = 0 }: { atol?: number; rtol?: number },
): void {
  expect(actual.length).toBe(expected.length)
  const worst = Array.from(expected, (value, i) => {
    return Math.abs(actual[i]! - value) - atol - rtol * Math.abs(value)
  }).reduce((a, b) => Math.max(a, b), -Infinity)
  expect(worst).toBeLessThanOrEqual(0)
}

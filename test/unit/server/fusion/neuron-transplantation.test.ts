import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parentShares } from '../../../../server/fusion/ledger.ts'
import { neuronTransplantation } from '../../../../server/fusion/neuron-transplantation.ts'
import type { Fusion, Parent } from '../../../../server/fusion/strategy.ts'
import type { NeuronGraph } from '../../../../shared/model/neuron-graph.ts'
import type { Weights } from '../../../../shared/model/weights.ts'
import { createRng, type Rng } from '../../../../shared/numeric/rng.ts'
import {
  convGraph,
  denseGraph,
  denseLogits,
  fusionOf,
  parentOf,
  randomParents,
  randomWeights,
} from '../../../support/plain-networks.ts'
import { concatenateAndPrune } from '../../../support/concatenate-and-prune.ts'

const TREES = ['hierarchical', 'joint', 'iterative'] as const
const seeds = fc.string({ maxLength: 8 })

describe('neuronTransplantation', () => {
  it('should take the largest neurons of both parents and weigh the heads by class shares', async () => {
    // One input, two neurons, two classes. Parent a has the larger first neuron, b the larger second.
    const a = parentOf('a', oneInput({ kernel: [8, 1], head: [1, 0, 1, 0] }), {
      classCounts: [30, 0],
    })
    const b = parentOf('b', oneInput({ kernel: [1, 9], head: [0, 1, 0, 1] }), {
      classCounts: [10, 10],
    })
    const fused = await fuse([a, b], [1, 2, 2], {})
    expect(fused).toEqual(oneInput({ kernel: [8, 9], head: [0.75, 0, 0, 1] }))
  })

  it('should weigh the heads alike when told', async () => {
    const a = parentOf('a', oneInput({ kernel: [8, 1], head: [1, 0, 1, 0] }))
    const b = parentOf('b', oneInput({ kernel: [1, 9], head: [0, 1, 0, 1] }))
    const fused = await fuse([a, b], [1, 2, 2], { head: 'mean' })
    expect(fused).toEqual(oneInput({ kernel: [8, 9], head: [0.5, 0, 0, 0.5] }))
  })

  it('should do what concatenating and pruning does', async () => {
    await fc.assert(
      fc.asyncProperty(
        seeds,
        fc.array(fc.tuple(width, width), { minLength: 1, maxLength: 4 }),
        fc.record({
          importance: fc.constantFrom('l1' as const, 'l2' as const),
          order: fc.constantFrom('upfront' as const, 'sequential' as const),
        }),
        async (seed, hidden, rules) => {
          const loaded = hidden.map((widths, k) =>
            denseWeights([3, ...widths, 2], createRng(seed).split(`${k}`)),
          )
          const widths: [number, number] = [
            Math.max(...hidden.map(([first]) => first)),
            Math.max(...hidden.map(([, second]) => second)),
          ]
          const fused = await fuse(parentsOf(loaded), [3, ...widths, 2], {
            ...rules,
            tree: 'joint',
            head: 'mean',
          })
          expectClose(fused, concatenateAndPrune(loaded, { ...rules, widths }))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('should compute the mean of the logits when nothing is pruned', async () => {
    const loaded = [4, 4, 4].map((_, k) => denseWeights([3, 4, 5, 2], createRng(`mean-${k}`)))
    const input = [0.3, -1.2, 0.7]
    const fused = await fuse(parentsOf(loaded), [3, 12, 15, 2], { head: 'mean' })
    const logits = loaded.map((weights) => denseLogits(weights, input))
    denseLogits(fused, input).forEach((logit, c) => {
      expect(logit).toBeCloseTo(logits.reduce((sum, of) => sum + of[c]!, 0) / 3, 5)
    })
  })

  it('should weigh all parents alike in every tree', async () => {
    // Unpruned, so only the head's weights can differ between the trees.
    const loaded = [0, 1, 2, 3, 4].map((k) => denseWeights([3, 2, 2], createRng(`five-${k}`)))
    const input = [0.9, 0.1, -0.4]
    for (const head of ['mean', 'shares']) {
      const [first, ...others] = await Promise.all(
        TREES.map((tree) => fuse(parentsOf(loaded), [3, 10, 2], { tree, head })),
      )
      for (const other of others) {
        denseLogits(other, input).forEach((logit, c) => {
          expect(logit).toBeCloseTo(denseLogits(first!, input)[c]!, 5)
        })
      }
    }
  })

  it('should leave the function alone when a parent’s neurons are permuted', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.constantFrom(...TREES), variants, async (seed, tree, variant) => {
        const rng = createRng(seed)
        const loaded = [0, 1, 2, 3].map((k) => denseWeights([3, 5, 4, 2], rng.split(`${k}`)))
        const permuted = loaded.with(2, permuteFirstLevel(loaded[2]!, rng.shuffle([0, 1, 2, 3, 4])))
        const [one, other] = await Promise.all(
          [loaded, permuted].map((of) => fuse(parentsOf(of), [3, 5, 4, 2], { tree, variant })),
        )
        const input = [rng.next(), rng.next(), rng.next()]
        denseLogits(one!, input).forEach((logit, c) => {
          expect(logit).toBeCloseTo(denseLogits(other!, input)[c]!, 5)
        })
      }),
      { numRuns: 40 },
    )
  })

  it('should take every weight of a channel from the neuron that the ledger names', async () => {
    const graph = convGraph([2, 4, 3], 6)
    const parents = randomParents(graph, 2)
    const loaded = await Promise.all(parents.map((parent) => parent.load()))
    const { weights, ledger } = await nt(parents, graph, { head: 'mean' })
    const fusedOf = (name: string) => dataOf(weights, name)
    expect(ledger.groups.map(({ name }) => name)).toEqual(['conv1'])
    ledger.groups[0]!.neurons.forEach((made, channel) => {
      expect(made).toHaveLength(1)
      const { parent, neuron } = made[0]!
      const sourceOf = (name: string) => dataOf(loaded[parent]!, name)
      for (const name of ['conv1.bias', 'bn1.gamma', 'bn1.beta', 'bn1.movingMean']) {
        expect(fusedOf(name)[channel]).toBe(sourceOf(name)[neuron])
      }
      for (let pixel = 0; pixel < 9 * 2; pixel++) {
        const [fused, source] = [fusedOf('conv1.kernel'), sourceOf('conv1.kernel')]
        expect(fused[pixel * 4 + channel]).toBe(source[pixel * 4 + neuron])
      }
      for (let position = 0; position < 6; position++) {
        for (let c = 0; c < 3; c++) {
          const [fused, source] = [fusedOf('fc1.kernel'), sourceOf('fc1.kernel')]
          expect(fused[(position * 4 + channel) * 3 + c]).toBe(
            source[(position * 4 + neuron) * 3 + c]! / 2,
          )
        }
      }
    })
  })

  it('should note one neuron of one parent for each, with what it was chosen by', async () => {
    for (const tree of TREES) {
      const parents = randomParents(denseGraph([3, 4, 2]), 5)
      const { ledger } = await nt(parents, denseGraph([3, 4, 2]), { tree })
      const made = ledger.groups[0]!.neurons
      expect(made.every((of) => of.length === 1 && of[0]!.share === 1)).toBe(true)
      const origins = made.map(([of]) => of!.parent * 4 + of!.neuron)
      expect(new Set(origins).size).toBe(4)
      expect(origins).toEqual(origins.toSorted((a, b) => a - b))
      expect(made.every(([of]) => of!.score! > 0)).toBe(true)
      const counts = parents.map((_, k) => made.filter(([of]) => of!.parent === k).length)
      expect(parentShares(ledger)).toEqual(counts.map((count) => count / 4))
    }
  })

  it('should fill a network of other widths from parents of other widths', async () => {
    const parents = [
      parentOf('a', denseWeights([3, 2, 5, 2], createRng('a'))),
      parentOf('b', denseWeights([3, 6, 1, 2], createRng('b'))),
    ]
    const { weights, ledger } = await nt(parents, denseGraph([3, 7, 4, 2]))
    expect(weights.map(({ shape }) => shape.join('x'))).toEqual([
      '3x7',
      '7',
      '7x4',
      '4',
      '4x2',
      '2',
    ])
    expect(ledger.groups.map(({ neurons }) => neurons.length)).toEqual([7, 4])
    // What a neuron of one parent reads of the other's is zero.
    const middle = dataOf(weights, 'fc2.kernel')
    const [first, second] = ledger.groups.map(({ neurons }) => neurons.map(([of]) => of!.parent))
    first!.forEach((from, i) => {
      second!.forEach((to, j) => expect(middle[i * 4 + j] !== 0).toBe(from === to))
    })
  })

  it('should give each parent an equal quota when pruning before merging', async () => {
    const graph = denseGraph([3, 7, 2])
    const options = { variant: 'prune-merge', tree: 'joint' }
    const { ledger } = await nt(randomParents(graph, 3), graph, options)
    expect(ledger.groups[0]!.neurons.map(([of]) => of!.parent)).toEqual([0, 0, 0, 1, 1, 2, 2])
  })

  it('should choose by attribution scores when told, through every tree', async () => {
    const graph = denseGraph([3, 4, 2])
    for (const tree of TREES) {
      const parents = randomParents(graph, 4).map((parent, k) => ({
        ...parent,
        // Neuron k of parent k is worth most, all others little.
        scores: [
          Float32Array.from([0, 1, 2, 3], (i) => (i === k ? 9 : 0.1 * i)),
          Float32Array.of(1, 1),
        ],
      }))
      const { ledger } = await nt(parents, graph, { importance: 'attribution', tree })
      const origins = ledger.groups[0]!.neurons.map(([of]) => [of!.parent, of!.neuron])
      expect(origins).toEqual([0, 1, 2, 3].map((k) => [k, k]))
    }
  })

  it('should fall back on the mean for classes that nobody saw', async () => {
    const graph = denseGraph([3, 4, 2])
    const blind = randomParents(graph, 3).map((parent) => ({ ...parent, classCounts: [0, 0] }))
    expect((await nt(blind, graph)).weights).toEqual(
      (await nt(blind, graph, { head: 'mean' })).weights,
    )
  })

  it('should refuse attribution without scores', async () => {
    const graph = denseGraph([3, 4, 2])
    await expect(
      nt(randomParents(graph, 2), graph, { importance: 'attribution' }),
    ).rejects.toMatchObject({
      code: 'GRAFT_STRATEGY_UNKNOWN',
      problem: expect.stringContaining('parent a sent 0'),
    })
  })

  it('should refuse to fill a network wider than its parents', async () => {
    const parents = randomParents(denseGraph([3, 4, 2]), 2)
    await expect(nt(parents, denseGraph([3, 9, 2]))).rejects.toMatchObject({
      code: 'GRAFT_SHAPE_MISMATCH',
      problem: 'The parents have 8 neurons in fc1 together, the fused network 9.',
    })
  })

  it('should keep the earlier of equally important neurons', async () => {
    const twin = oneInput({ kernel: [3, 3], head: [1, 1, 1, 1] })
    const { ledger } = await nt([parentOf('a', twin), parentOf('b', twin)], denseGraph([1, 3, 2]), {
      head: 'mean',
    })
    const origins = ledger.groups[0]!.neurons.map(([of]) => [of!.parent, of!.neuron])
    expect(origins).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
    ])
  })

  it('should refuse class counts of other classes', async () => {
    const graph = denseGraph([3, 4, 2])
    const [parent] = randomParents(graph, 1)
    await expect(nt([{ ...parent!, classCounts: [1, 2, 3] }], graph)).rejects.toMatchObject({
      code: 'GRAFT_SHAPE_MISMATCH',
      problem: 'Parent a counts 3 classes, the fused network has 2.',
    })
  })
})

// Helpers

const width = fc.integer({ min: 1, max: 5 })
const variants = fc.constantFrom('merge-prune', 'prune-merge')

const parentsOf = (loaded: readonly Weights[]): Parent[] =>
  loaded.map((weights, k) => parentOf(`p${k}`, weights))

const nt = (
  parents: readonly Parent[],
  graph: NeuronGraph,
  options: Record<string, string> = {},
): Promise<Fusion> => neuronTransplantation.fuse(fusionOf(parents, graph, options))

async function fuse(
  parents: readonly Parent[],
  widths: readonly number[],
  options: Record<string, string>,
): Promise<Weights> {
  return (await nt(parents, denseGraph(widths), options)).weights
}

const denseWeights = (widths: readonly number[], rng: Rng): Weights =>
  randomWeights(denseGraph(widths), rng)

const dataOf = (weights: Weights, name: string): Float32Array =>
  weights.find((tensor) => tensor.name === name)!.data

function oneInput({ kernel, head }: { kernel: number[]; head: number[] }): Weights {
  return [
    { name: 'fc1.kernel', shape: [1, 2], data: Float32Array.from(kernel) },
    { name: 'fc1.bias', shape: [2], data: new Float32Array(2) },
    { name: 'fc2.kernel', shape: [2, 2], data: Float32Array.from(head) },
    { name: 'fc2.bias', shape: [2], data: new Float32Array(2) },
  ]
}

/** Moves neuron `p[j]` of the first level to place j. */
function permuteFirstLevel(weights: Weights, p: readonly number[]): Weights {
  const [kernel, bias, next, ...rest] = weights
  const w = p.length
  const outputs = next!.shape[1]!
  return [
    { ...kernel!, data: kernel!.data.map((_, i) => kernel!.data[i - (i % w) + p[i % w]!]!) },
    { ...bias!, data: bias!.data.map((_, j) => bias!.data[p[j]!]!) },
    {
      ...next!,
      data: next!.data.map(
        (_, i) => next!.data[p[Math.floor(i / outputs)]! * outputs + (i % outputs)]!,
      ),
    },
    ...rest,
  ]
}

function expectClose(actual: Weights, expected: Weights): void {
  expect(actual.map(({ name, shape }) => ({ name, shape }))).toEqual(
    expected.map(({ name, shape }) => ({ name, shape })),
  )
  actual.forEach(({ data }, w) => {
    data.forEach((value, i) => expect(value).toBeCloseTo(expected[w]!.data[i]!, 6))
  })
}

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  neuronTransplantation,
  transplantParents,
} from '../../../../server/fusion/neuron-transplantation.ts'
import type { Parent } from '../../../../server/fusion/strategy.ts'
import type { Weights } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import {
  convLevels,
  convWeights,
  denseLevels,
  denseLogits,
  denseParents,
  denseWeights,
  parentOf,
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

  it('should keep a channel with its normalisation and all rows that read it', async () => {
    const shape = [2, 4, 3] as const
    const loaded = ['a', 'b'].map((id) => convWeights([...shape], 6, createRng(`conv-${id}`)))
    const parents = loaded.map((weights, k) => parentOf('ab'[k]!, weights))
    const { weights, origins } = await transplantParents({
      parents,
      levels: convLevels([...shape], 6),
      options: { head: 'mean' },
    })
    expect(origins[0]).toHaveLength(4)
    origins[0]!.forEach(({ parent, neuron }, channel) => {
      const source = new Map(
        loaded['ab'.indexOf(parent)]!.map((tensor) => [tensor.name, tensor.data]),
      )
      const fusedOf = (name: string) => weights.get(name)!.data
      for (const name of ['bias', 'gamma', 'beta', 'movingMean', 'movingVariance']) {
        const weight = name === 'bias' ? 'conv1.bias' : `bn1.${name}`
        expect(fusedOf(weight)[channel]).toBe(source.get(weight)![neuron])
      }
      for (let pixel = 0; pixel < 9 * 2; pixel++) {
        expect(fusedOf('conv1.kernel')[pixel * 4 + channel]).toBe(
          source.get('conv1.kernel')![pixel * 4 + neuron],
        )
      }
      for (let position = 0; position < 6; position++) {
        for (let c = 0; c < 3; c++) {
          expect(fusedOf('fc1.kernel')[(position * 4 + channel) * 3 + c]).toBe(
            source.get('fc1.kernel')![(position * 4 + neuron) * 3 + c]! / 2,
          )
        }
      }
    })
  })

  it('should give each parent an equal quota when pruning before merging', async () => {
    const parents = denseParents([3, 7, 2], 3)
    const { origins } = await transplantParents({
      parents,
      levels: denseLevels([3, 7, 2]),
      options: { variant: 'prune-merge', tree: 'joint' },
    })
    expect(origins[0]!.map(({ parent }) => parent).join('')).toBe('aaabbcc')
  })

  it('should choose by attribution scores when told, through every tree', async () => {
    for (const tree of TREES) {
      const parents = denseParents([3, 4, 2], 4).map((parent, k) => ({
        ...parent,
        // Neuron k of parent k is worth most, all others little.
        scores: [
          Float32Array.from([0, 1, 2, 3], (i) => (i === k ? 9 : 0.1 * i)),
          Float32Array.of(1, 1),
        ],
      }))
      const { origins } = await transplantParents({
        parents,
        levels: denseLevels([3, 4, 2]),
        options: { importance: 'attribution', tree },
      })
      expect(origins[0]).toEqual(['a', 'b', 'c', 'd'].map((parent, neuron) => ({ parent, neuron })))
    }
  })

  it('should refuse attribution without scores', async () => {
    await expect(
      fuse(denseParents([3, 4, 2], 2), [3, 4, 2], { importance: 'attribution' }),
    ).rejects.toMatchObject({
      code: 'GRAFT_STRATEGY_UNKNOWN',
      problem: expect.stringContaining('parent a sent 0'),
    })
  })

  it('should refuse to fill a network wider than its parents', async () => {
    await expect(fuse(denseParents([3, 4, 2], 2), [3, 9, 2], {})).rejects.toMatchObject({
      code: 'GRAFT_SHAPE_MISMATCH',
      problem: 'The parents have 8 neurons in fc1 together, the fused network 9.',
    })
  })

  it('should refuse class counts of other classes', async () => {
    const [parent] = denseParents([3, 4, 2], 1)
    await expect(
      fuse([{ ...parent!, classCounts: [1, 2, 3] }], [3, 4, 2], {}),
    ).rejects.toMatchObject({
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

function fuse(
  parents: readonly Parent[],
  widths: readonly number[],
  options: Record<string, string>,
): Promise<Weights> {
  return neuronTransplantation.fuse({ parents, levels: denseLevels(widths), options })
}

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

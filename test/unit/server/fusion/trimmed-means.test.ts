import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parentShares } from '../../../../server/fusion/ledger.ts'
import { median } from '../../../../server/fusion/median.ts'
import { collectFusion } from '../../../../server/fusion/block-strategy.ts'
import { trimmedMean } from '../../../../server/fusion/trimmed-mean.ts'
import { trimmedMeans } from '../../../../server/fusion/trimmed-means.ts'
import type { Fusion, Parent } from '../../../../server/fusion/strategy.ts'
import type { Weights } from '../../../../shared/model/weights.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import {
  convGraph,
  denseGraph,
  fusionOf,
  parentOf,
  randomWeights,
} from '../../../support/plain-networks.ts'
import {
  flattened,
  medianReference,
  trimmedMeanReference,
} from '../../../support/robust-reference.ts'

const GRAPH = convGraph([1, 3, 2], 4)

describe('median', () => {
  it('should agree with the definition, moving statistics included', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30 }), fc.string(), async (count, seed) => {
        const parents = parentsWithTies(count, seed)
        const { weights } = await median.fuse(fusionOf(parents, GRAPH))
        expectClose(weights, medianReference(await flattened(parents)))
      }),
      { numRuns: 40 },
    )
  })

  it('should stay among the right parents, whatever the smaller half sends', async () => {
    const graph = denseGraph([3, 4, 2])
    const right = ['a', 'b', 'c'].map((id) => parentOf(id, randomWeights(graph, createRng(id))))
    const wrong = ['d', 'e'].map((id) => {
      const weights = randomWeights(graph, createRng(id))
      weights.forEach(({ data }) => data.fill(1e30))
      return parentOf(id, weights)
    })
    const { weights } = await median.fuse(fusionOf([...right, ...wrong], graph))
    const among = await flattened(right)
    weights
      .flatMap(({ data }) => [...data])
      .forEach((value, i) => {
        const values = among.map((vector) => vector[i]!)
        expect(value).toBeGreaterThanOrEqual(Math.min(...values))
        expect(value).toBeLessThanOrEqual(Math.max(...values))
      })
  })
})

describe('trimmed-mean', () => {
  it.each([
    ['0.1', 3, 1],
    ['0.1', 10, 1],
    ['0.1', 11, 2],
    ['0.1', 30, 3],
    ['0.2', 15, 3],
    ['0.3', 10, 3],
    ['0.45', 20, 9],
  ])('should with beta=%s of %i parents leave %i out at each end', async (beta, count, trim) => {
    const parents = parentsWithTies(count, beta)
    const { weights } = await trimmedMean.fuse(fusionOf(parents, GRAPH, { beta }))
    expectClose(weights, trimmedMeanReference(await flattened(parents), trim))
  })

  it('should refuse so few parents that none is left, before they train and after', async () => {
    const refusal = {
      code: 'GRAFT_STRATEGY_UNKNOWN',
      problem: expect.stringContaining(
        'leaves out 1 at each end, and of 2 parents that leaves none',
      ),
    }
    const fused = trimmedMean.fuse(fusionOf(parentsWithTies(2, 'few'), GRAPH))
    await expect(fused).rejects.toMatchObject(refusal)
    expect(() => trimmedMean.check!(GRAPH, { fewest: 2, most: 9 }, {})).toThrow(
      expect.objectContaining(refusal),
    )
    expect(() => trimmedMean.check!(GRAPH, { fewest: 3, most: 9 }, {})).not.toThrow()
  })
})

describe('trimmedMeans', () => {
  it('should give the same by slices as at once, one parent in memory at a time', async () => {
    const parents = parentsWithTies(5, 'slices')
    const whole = await collectFusion(trimmedMeans(fusionOf(parents, GRAPH), 1))
    const shared = randomWeights(GRAPH, createRng('buffer'))
    const reusing = parents.map((parent) => ({
      ...parent,
      // One buffer for all parents: whoever kept the last one's weights would see the next one's.
      load: async () => {
        const own = await parent.load()
        shared.forEach(({ data }, w) => data.set(own[w]!.data))
        return shared
      },
    }))
    for (const mostValues of [1, 35, 5 * 17]) {
      const sliced = await collectFusion(trimmedMeans(fusionOf(reusing, GRAPH), 1, mostValues))
      expect(sliced).toEqual(whole)
    }
  })

  it('should say of each neuron how many of the values that make it came from whom', async () => {
    const graph = denseGraph([1, 2, 1])
    // fc1 has two neurons of one weight and one bias each.
    const parents = [
      of('a', { kernel: [1, 1], bias: [1, 5] }),
      of('b', { kernel: [2, 9], bias: [2, 5] }),
      of('c', { kernel: [3, 5], bias: [0, 5] }),
    ]
    const { ledger } = await collectFusion(trimmedMeans(fusionOf(parents, graph), 1))
    expect(sharesOf({ ledger })).toEqual([
      [0.5, 0.5, 0], // the kernel's 2 is of b, the bias' 1 of a
      [1 / 6, 1 / 6, 4 / 6], // the kernel's 5 is of c, the bias' 5 of each
    ])
    for (const share of parentShares(ledger)) expect(share).toBeCloseTo(1 / 3, 12)
  })

  it('should refuse to leave nothing', () => {
    expect(() => trimmedMeans(fusionOf(parentsWithTies(4, 'x'), GRAPH), 2)).toThrow(RangeError)
  })
})

// Helpers

/** Weights of two decimals in [-1, 1), so that some are equal. */
function parentsWithTies(count: number, seed: string): Parent[] {
  return Array.from({ length: count }, (_, k) => {
    const id = `p${String(k).padStart(3, '0')}`
    const weights = randomWeights(GRAPH, createRng(seed).split(id))
    for (const { data } of weights) data.set(data.map((value) => Math.round(value * 100) / 100))
    return parentOf(id, weights)
  })
}

function of(id: string, { kernel, bias }: { kernel: number[]; bias: number[] }): Parent {
  return parentOf(id, [
    { name: 'fc1.kernel', shape: [1, 2], data: Float32Array.from(kernel) },
    { name: 'fc1.bias', shape: [2], data: Float32Array.from(bias) },
    { name: 'fc2.kernel', shape: [2, 1], data: Float32Array.of(0, 0) },
    { name: 'fc2.bias', shape: [1], data: Float32Array.of(0) },
  ])
}

function sharesOf({ ledger }: Pick<Fusion, 'ledger'>): number[][] {
  return ledger.groups[0]!.neurons.map((made) =>
    ledger.parents.map((_, k) => made.find(({ parent }) => parent === k)?.share ?? 0),
  )
}

function expectClose(weights: Weights, expected: readonly number[]): void {
  const values = weights.flatMap(({ data }) => [...data])
  expect(values).toHaveLength(expected.length)
  values.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-7))
}

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fedavg } from '../../../../server/fusion/fedavg.ts'
import { parentShares } from '../../../../server/fusion/ledger.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import {
  convGraph,
  denseGraph,
  fusionOf,
  parentOf,
  randomParents,
  randomWeights,
} from '../../../support/plain-networks.ts'

const counts = fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 6 })

describe('fedavg', () => {
  it('should weight a client by its examples', async () => {
    const parents = [
      parentOf('a', tiny(0), { numExamples: 1 }),
      parentOf('b', tiny(4), { numExamples: 3 }),
    ]
    const { weights } = await fedavg.fuse(fusionOf(parents, denseGraph([1, 1])))
    expect(weights).toEqual(tiny(3))
  })

  it('should agree with the equation written out, moving statistics included', async () => {
    const graph = convGraph([1, 3, 2], 4)
    await fc.assert(
      fc.asyncProperty(counts, fc.string(), async (numExamples, seed) => {
        const loaded = numExamples.map((_, k) =>
          randomWeights(graph, createRng(seed).split(`${k}`)),
        )
        const parents = loaded.map((weights, k) =>
          parentOf(`p${k}`, weights, { numExamples: numExamples[k]! }),
        )
        const { weights: fused } = await fedavg.fuse(fusionOf(parents, graph))
        const n = numExamples.reduce((sum, n_k) => sum + n_k, 0)
        fused.forEach(({ data }, w) => {
          data.forEach((value, i) => {
            const mean =
              loaded.reduce((sum, of, k) => sum + numExamples[k]! * of[w]!.data[i]!, 0) / n
            expect(Math.abs(value - mean)).toBeLessThan(1e-7)
          })
        })
      }),
      { numRuns: 30 },
    )
  })

  it('should be done with a parent before it loads the next', async () => {
    const graph = denseGraph([2, 3, 2])
    const shared = randomWeights(graph, createRng('buffer'))
    const parents = [1, 2, 6].map((value) =>
      parentOf(`p${value}`, shared, {
        // One buffer for all parents: whoever kept the last one's weights would see the next one's.
        load: async () => {
          shared.forEach(({ data }) => data.fill(value))
          return shared
        },
      }),
    )
    const { weights } = await fedavg.fuse(fusionOf(parents, graph))
    expect(weights.flatMap(({ data }) => [...data]).every((value) => value === 3)).toBe(true)
  })

  it('should say of each neuron that all parents made it, by their examples', async () => {
    const graph = denseGraph([2, 3, 2])
    const [a, b] = randomParents(graph, 2)
    const parents = [
      { ...a!, numExamples: 1 },
      { ...b!, numExamples: 3 },
    ]
    const { ledger } = await fedavg.fuse(fusionOf(parents, graph))
    expect(ledger.parents).toEqual(['a', 'b'])
    expect(ledger.groups.map(({ name }) => name)).toEqual(['fc1'])
    expect(ledger.groups[0]!.neurons[2]).toEqual([
      { parent: 0, neuron: 2, share: 0.25, score: null },
      { parent: 1, neuron: 2, share: 0.75, score: null },
    ])
    expect(parentShares(ledger)).toEqual([0.25, 0.75])
  })

  it('should refuse parents of other widths than the fused network', async () => {
    const parents = randomParents(denseGraph([2, 3, 2]), 1)
    await expect(fedavg.fuse(fusionOf(parents, denseGraph([2, 4, 2])))).rejects.toMatchObject({
      code: 'GRAFT_SHAPE_MISMATCH',
      problem: 'Parent a has 3 neurons in fc1, the fused network 4.',
    })
  })
})

// Helpers

function tiny(value: number) {
  return [
    { name: 'fc1.kernel', shape: [1, 1], data: Float32Array.of(value) },
    { name: 'fc1.bias', shape: [1], data: Float32Array.of(value) },
  ]
}

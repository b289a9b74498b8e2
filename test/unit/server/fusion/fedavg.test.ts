import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fedavg } from '../../../../server/fusion/fedavg.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import {
  convLevels,
  convWeights,
  denseLevels,
  denseParents,
  denseWeights,
  parentOf,
} from '../../../support/plain-networks.ts'

const counts = fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 6 })

describe('fedavg', () => {
  it('should weight a client by its examples', async () => {
    const levels = denseLevels([1, 1])
    const parents = [
      parentOf('a', tiny(0), { numExamples: 1 }),
      parentOf('b', tiny(4), { numExamples: 3 }),
    ]
    expect(await fedavg.fuse({ parents, levels, options: {} })).toEqual(tiny(3))
  })

  it('should agree with the equation written out, moving statistics included', async () => {
    await fc.assert(
      fc.asyncProperty(counts, fc.string(), async (numExamples, seed) => {
        const loaded = numExamples.map((_, k) =>
          convWeights([1, 3, 2], 4, createRng(seed).split(`${k}`)),
        )
        const parents = loaded.map((weights, k) =>
          parentOf(`p${k}`, weights, { numExamples: numExamples[k]! }),
        )
        const fused = await fedavg.fuse({ parents, levels: convLevels([1, 3, 2], 4), options: {} })
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
    const shared = denseWeights([2, 3, 2], createRng('buffer'))
    const parents = [1, 2, 6].map((value) =>
      parentOf(`p${value}`, shared, {
        // One buffer for all parents: whoever kept the last one's weights would see the next one's.
        load: async () => {
          shared.forEach(({ data }) => data.fill(value))
          return shared
        },
      }),
    )
    const fused = await fedavg.fuse({ parents, levels: denseLevels([2, 3, 2]), options: {} })
    expect(fused.flatMap(({ data }) => [...data]).every((value) => value === 3)).toBe(true)
  })

  it('should refuse parents of other widths than the fused network', async () => {
    const parents = denseParents([2, 3, 2], 1)
    await expect(
      fedavg.fuse({ parents, levels: denseLevels([2, 4, 2]), options: {} }),
    ).rejects.toMatchObject({
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

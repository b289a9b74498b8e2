import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { krum } from '../../../../server/fusion/krum.ts'
import { parentShares } from '../../../../server/fusion/ledger.ts'
import type { Parent } from '../../../../server/fusion/strategy.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import {
  convGraph,
  copyOf,
  denseGraph,
  fusionOf,
  parentOf,
  randomParents,
  randomWeights,
} from '../../../support/plain-networks.ts'
import { flattened, krumReference } from '../../../support/robust-reference.ts'

const GRAPH = convGraph([1, 3, 2], 4)

describe('krum', () => {
  it('should take the parents of the smallest scores, by the definition', async () => {
    const sizes = fc.record({
      f: fc.integer({ min: 0, max: 3 }),
      spare: fc.integer({ min: 0, max: 4 }),
      m: fc.integer({ min: 1, max: 3 }),
      seed: fc.string(),
    })
    await fc.assert(
      fc.asyncProperty(sizes, async ({ f, spare, m, seed }) => {
        const parents = randomParents(GRAPH, 2 * f + 3 + spare, seed)
        const options = { f: String(f), m: String(m) }
        const { weights, ledger } = await krum.fuse(fusionOf(parents, GRAPH, options))
        const vectors = await flattened(parents)
        const scores = krumReference(vectors, f)
        const chosen = [...scores.keys()].sort((a, b) => scores[a]! - scores[b]!).slice(0, m)
        weights
          .flatMap(({ data }) => [...data])
          .forEach((value, i) => {
            const mean = chosen.reduce((sum, k) => sum + vectors[k]![i]!, 0) / m
            expect(Math.abs(value - mean)).toBeLessThan(1e-7)
          })
        const shares = parents.map((_, k) => (chosen.includes(k) ? 1 / m : 0))
        parentShares(ledger).forEach((share, k) => expect(share).toBeCloseTo(shares[k]!, 12))
        for (const { parent, score } of ledger.groups[0]!.neurons[0]!) {
          expect(score! / scores[parent]!).toBeCloseTo(1, 12)
        }
      }),
      { numRuns: 40 },
    )
  })

  it('should give the very weights of the one parent it takes, not of those that are wrong together', async () => {
    const graph = denseGraph([3, 4, 2])
    const common = randomWeights(graph, createRng('common'))
    const right = [0, 1, 2, 3, 4].map((k) => {
      const weights = copyOf(common)
      weights.forEach(({ data }) => data.forEach((value, i) => (data[i] = value + 0.01 * k * k)))
      return parentOf(`right-${k}`, weights)
    })
    const wrong = ['a', 'b'].map((id) => {
      const weights = copyOf(common)
      weights.forEach(({ data }) => data.fill(100))
      return parentOf(id, weights)
    })
    const { weights, reason } = await krum.fuse(fusionOf([...right, ...wrong], graph, { f: '2' }))
    expect(weights).toEqual(await right[2]!.load())
    expect(reason).toBe(
      'krum took right-2 of 7 parents, which lies closest to the 3 around it; it assumes that at most 2 may be wrong.',
    )
  })

  it('should take the first by id of equal ones', async () => {
    const graph = denseGraph([2, 2, 2])
    const weights = randomWeights(graph, createRng('same'))
    const parents = ['c', 'b', 'a'].map((id) => parentOf(id, weights))
    const { ledger } = await krum.fuse(fusionOf(parents, graph, { f: '0' }))
    expect(parentShares(ledger)).toEqual([1, 0, 0])
    expect(ledger.parents).toEqual(['a', 'b', 'c'])
  })

  it.each([
    [{ f: '1' }, 4, 'krum:f=1 needs 5 parents or more (2f + 3), and there may be 4'],
    [{ f: '0' }, 2, 'krum:f=0 needs 3 parents or more'],
    [{ f: '1', m: '5' }, 5, 'krum:f=1 takes 4 of 5 parents for right, and is to average m=5'],
  ])(
    'should refuse %j of %i parents, before they train and after',
    async (options, count, says) => {
      const refusal = { code: 'GRAFT_STRATEGY_UNKNOWN', problem: expect.stringContaining(says) }
      const parents: Parent[] = randomParents(GRAPH, count)
      await expect(krum.fuse(fusionOf(parents, GRAPH, options))).rejects.toMatchObject(refusal)
      expect(() => krum.check!(GRAPH, { fewest: count, most: 99 }, options)).toThrow(
        expect.objectContaining(refusal),
      )
    },
  )
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseStrategy, STRATEGIES } from '../../../../server/fusion/strategies.ts'
import type { Strategy } from '../../../../server/fusion/strategy.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import {
  convLevels,
  convWeights,
  copyOf,
  denseLevels,
  denseParents,
  parentOf,
} from '../../../support/plain-networks.ts'

describe('parseStrategy', () => {
  it('should fill the options that are not given with their defaults', () => {
    const { strategy, options } = parseStrategy('nt:tree=joint:variant=prune-merge')
    expect(strategy).toBe(STRATEGIES.nt)
    expect(options).toEqual({
      variant: 'prune-merge',
      tree: 'joint',
      importance: 'l2',
      order: 'upfront',
      head: 'shares',
    })
    expect(parseStrategy('fedavg').options).toEqual({})
  })

  it.each([
    ['', 'no strategy "", only fedavg, nt'],
    ['toString', 'no strategy "toString"'],
    ['nt:tree=binary', 'tree=hierarchical|joint|iterative'],
    ['nt:depth=3', 'variant=merge-prune|prune-merge'],
    ['nt:constructor=1', 'has no option constructor=1'],
    ['fedavg:tree=joint', 'it has none'],
    ['nt:tree', '"tree" is no option of nt'],
    ['nt:tree=joint=joint', 'is no option of nt'],
    ['nt:', '"" is no option of nt'],
    ['nt:tree=joint:tree=joint', 'tree twice'],
  ])('should refuse %j and name what is allowed', (spec, problem) => {
    expect(() => parseStrategy(spec)).toThrow(
      expect.objectContaining({
        code: 'GRAFT_STRATEGY_UNKNOWN',
        problem: expect.stringContaining(problem),
      }),
    )
  })
})

const WIDTHS = [3, 6, 4, 2]
const LEVELS = denseLevels(WIDTHS)

describe.each(Object.entries<Strategy>(STRATEGIES))('every strategy: %s', (name, strategy) => {
  it('should be registered under its own name', () => {
    expect(strategy.name).toBe(name)
    expect(strategy.summary).not.toBe('')
    expect(strategy.paper).toMatch(/^arXiv \d{4}\.\d{5}/)
  })

  it('should give the one parent back', async () => {
    const [parent] = denseParents(WIDTHS, 1)
    expect(await strategy.fuse({ parents: [parent!], levels: LEVELS, options: {} })).toEqual(
      await parent!.load(),
    )
    const conv = parentOf('a', convWeights([2, 5, 3], 4, createRng('conv')))
    const levels = convLevels([2, 5, 3], 4)
    expect(await strategy.fuse({ parents: [conv], levels, options: {} })).toEqual(await conv.load())
  })

  it('should keep names, order and shapes', async () => {
    const parents = denseParents(WIDTHS, 5)
    const fused = await strategy.fuse({ parents, levels: LEVELS, options: {} })
    const shapes = (await parents[0]!.load()).map(({ name, shape }) => ({ name, shape }))
    expect(fused.map(({ name, shape }) => ({ name, shape }))).toEqual(shapes)
    expect(fused.every(({ data }) => data instanceof Float32Array)).toBe(true)
    expect(fused.every(({ data }) => data.every(Number.isFinite))).toBe(true)
  })

  it('should give the same bytes whoever uploads first', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 7 }), fc.string(), async (count, seed) => {
        const parents = denseParents(WIDTHS, count, seed)
        const input = { levels: LEVELS, options: {} }
        const shuffled = createRng(seed).shuffle(parents)
        expect(await strategy.fuse({ ...input, parents: shuffled })).toEqual(
          await strategy.fuse({ ...input, parents }),
        )
      }),
      { numRuns: 25 },
    )
  })

  it('should not change what a parent loads, nor hand it out', async () => {
    const loaded = await Promise.all(denseParents(WIDTHS, 4).map((parent) => parent.load()))
    const before = loaded.map(copyOf)
    const parents = loaded.map((weights, k) =>
      parentOf(`p${k}`, weights, { load: async () => weights }),
    )
    const fused = await strategy.fuse({ parents, levels: LEVELS, options: {} })
    fused.forEach(({ data }) => data.fill(7))
    expect(loaded).toEqual(before)
  })

  it('should load every parent once', async () => {
    const loads: string[] = []
    const parents = denseParents(WIDTHS, 6).map((parent) => ({
      ...parent,
      load: () => {
        loads.push(parent.id)
        return parent.load()
      },
    }))
    await strategy.fuse({ parents, levels: LEVELS, options: {} })
    expect(loads).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  })

  it('should name the parent whose shapes do not fit', async () => {
    const [first, second] = denseParents(WIDTHS, 2)
    const [, other] = denseParents([5, 6, 4, 2], 2)
    const fuse = (parents = [first!, second!]) =>
      strategy.fuse({ parents, levels: LEVELS, options: {} })
    await expect(fuse([first!, { ...second!, load: () => other!.load() }])).rejects.toMatchObject({
      code: 'GRAFT_SHAPE_MISMATCH',
      problem: 'Parent a has fc1.kernel [3,6], b has fc1.kernel [5,6].',
    })
    await expect(
      fuse([{ ...first!, load: async () => (await first!.load()).slice(1) }]),
    ).rejects.toMatchObject({ code: 'GRAFT_SHAPE_MISMATCH' })
    await expect(fuse([])).rejects.toThrow(RangeError)
  })
})

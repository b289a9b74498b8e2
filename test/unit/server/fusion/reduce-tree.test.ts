import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { reduceTree, type TreeShape } from '../../../../server/fusion/reduce-tree.ts'

const SHAPES = ['hierarchical', 'joint', 'iterative'] as const

describe('reduceTree', () => {
  it.each([
    ['hierarchical', 2, '(ab)'],
    ['hierarchical', 3, '(abc)'],
    ['hierarchical', 4, '((ab)(cd))'],
    ['hierarchical', 5, '((ab)(cde))'],
    ['hierarchical', 8, '(((ab)(cd))((ef)(gh)))'],
    ['joint', 5, '(abcde)'],
    ['iterative', 4, '(((ab)c)d)'],
  ] as const)('should merge %s trees of %i leaves as %s', async (shape, count, expected) => {
    expect((await grow(shape, count)).name).toBe(expected)
  })

  it.each(SHAPES)('should merge a single leaf alone: %s', async (shape) => {
    expect((await grow(shape, 1)).name).toBe('(a)')
  })

  it('should keep the leaves in order and lose none', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...SHAPES), sizes, async (shape, count) => {
        const { name } = await grow(shape, count)
        expect(name.replaceAll(/[()]/g, '')).toBe(LETTERS.slice(0, count))
      }),
    )
  })

  it('should have few networks alive at a time', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async (count) => {
        expect((await grow('hierarchical', count)).peak).toBeLessThanOrEqual(
          Math.ceil(Math.log2(count)) + 2,
        )
        expect((await grow('iterative', count)).peak).toBeLessThanOrEqual(3)
      }),
    )
    expect((await grow('hierarchical', 16)).peak).toBe(6)
    expect((await grow('joint', 16)).peak).toBe(17)
  })
})

// Helpers

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
const sizes = fc.integer({ min: 1, max: 26 })

/** Counts what was made and not yet merged; while a merge runs, its parts and its result both count. */
async function grow(shape: TreeShape, count: number): Promise<{ name: string; peak: number }> {
  let alive = 0
  let peak = 0
  const born = () => (peak = Math.max(peak, ++alive))
  const leaves = Array.from(LETTERS.slice(0, count), (letter) => async () => {
    born()
    return letter
  })
  const name = await reduceTree(leaves, shape, async (parts) => {
    born()
    alive -= parts.length
    return `(${parts.join('')})`
  })
  return { name, peak }
}

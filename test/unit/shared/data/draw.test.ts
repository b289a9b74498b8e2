import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { drawBalanced, drawProportional } from '../../../../shared/data/draw.ts'
import { groupByClass } from '../../../../shared/data/group-by-class.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'

const NUM_CLASSES = 4
const draws = fc.array(fc.nat(NUM_CLASSES - 1), { minLength: 1, maxLength: 60 }).chain((labels) =>
  fc.record({
    labels: fc.constant(Int32Array.from(labels)),
    count: fc.nat(labels.length),
    seed: fc.string(),
  }),
)

describe('drawBalanced', () => {
  it('should take equally many of each class', () => {
    const labels = Int32Array.of(0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2)
    expect(countsOf(labels, drawBalanced({ ...base('a'), labels, count: 9 }))).toEqual([3, 3, 3, 0])
  })

  it('should take from the others what a small class lacks', () => {
    const labels = Int32Array.of(0, 1, 1, 1, 1, 2, 2, 2, 2)
    expect(countsOf(labels, drawBalanced({ ...base('a'), labels, count: 7 }))).toEqual([1, 3, 3, 0])
  })

  it('should draw distinct positions, with counts within 1 of each other where classes last', () => {
    fc.assert(
      fc.property(draws, ({ labels, count, seed }) => {
        const drawn = drawBalanced({ ...base(seed), labels, count })
        const counts = countsOf(labels, drawn)
        const most = Math.max(...counts)
        expect(new Set(drawn).size).toBe(count)
        countsOf(labels, labels.keys()).forEach((available, c) => {
          expect(counts[c]).toBeGreaterThanOrEqual(Math.min(available, most - 1))
        })
      }),
    )
  })
})

describe('drawProportional', () => {
  it('should keep the shares of the classes', () => {
    const labels = Int32Array.of(0, 0, 0, 0, 0, 0, 1, 1, 1, 3, 3, 3)
    expect(countsOf(labels, drawProportional({ ...base('a'), labels, count: 4 }))).toEqual([
      2, 1, 0, 1,
    ])
  })

  it('should draw distinct positions, each class within 1 of its exact share', () => {
    fc.assert(
      fc.property(draws, ({ labels, count, seed }) => {
        const drawn = drawProportional({ ...base(seed), labels, count })
        const counts = countsOf(labels, drawn)
        expect(new Set(drawn).size).toBe(count)
        countsOf(labels, labels.keys()).forEach((available, c) => {
          expect(Math.abs(counts[c]! - (available * count) / labels.length)).toBeLessThan(1)
        })
      }),
    )
  })
})

describe.each([drawBalanced, drawProportional])('%o', (draw) => {
  it('should draw other examples for another seed, the same for the same', () => {
    const labels = new Int32Array(100)
    const first = draw({ ...base('a'), labels, count: 10 })
    expect(draw({ ...base('a'), labels, count: 10 })).toEqual(first)
    expect(draw({ ...base('b'), labels, count: 10 })).not.toEqual(first)
  })

  it('should refuse to draw more than there is', () => {
    expect(() => draw({ ...base('a'), labels: new Int32Array(3), count: 4 })).toThrow(RangeError)
  })
})

// Helpers

const base = (seed: string) => ({ numClasses: NUM_CLASSES, rng: createRng(seed) })

const countsOf = (labels: Int32Array, positions: Iterable<number>): number[] =>
  groupByClass(
    Int32Array.from(positions, (position) => labels[position]!),
    NUM_CLASSES,
  ).map((group) => group.length)

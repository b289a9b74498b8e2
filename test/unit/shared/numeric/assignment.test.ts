import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assign, type MatrixShape } from '../../../../shared/numeric/assignment.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'

describe('assign', () => {
  it('should give every row the column that makes the sum least', () => {
    const cost = Float64Array.of(4, 1, 3, 2, 0, 5, 3, 2, 2)
    expect([...assign(cost, { rows: 3, columns: 3 })]).toEqual([1, 0, 2])
  })

  it('should leave columns over when there are more of them, whatever the sign of the costs', () => {
    const cost = Float32Array.of(-1, -7, 0, -2, -9, 0)
    expect([...assign(cost, { rows: 2, columns: 3 })]).toEqual([0, 1])
  })

  it('should be as cheap as the best of all permutations', () => {
    fc.assert(
      fc.property(problems(6), ({ cost, shape }) => {
        const columns = assign(cost, shape)
        expectDistinct(columns, shape)
        expect(total(cost, shape, columns)).toBeCloseTo(cheapest(cost, shape), 9)
      }),
    )
  })

  it('should cope with ties, which small integers give plenty of', () => {
    const fewValues = problems(6, fc.integer({ min: 0, max: 2 }))
    fc.assert(
      fc.property(fewValues, ({ cost, shape }) => {
        const columns = assign(cost, shape)
        expectDistinct(columns, shape)
        expect(total(cost, shape, columns)).toBe(cheapest(cost, shape))
      }),
    )
  })

  it('should not lose against any exchange of two rows, nor to a column left over, at 300 x 320', () => {
    for (const digits of [16, 2]) {
      const shape = { rows: 300, columns: 320 }
      const cost = randomCost(shape, digits)
      const columns = assign(cost, shape)
      expectDistinct(columns, shape)
      const at = (i: number, j: number) => cost[i * shape.columns + j]!
      const free = new Set(Array.from({ length: shape.columns }, (_, j) => j))
      columns.forEach((column) => free.delete(column))
      for (let i = 0; i < shape.rows; i++) {
        for (const j of free) expect(at(i, columns[i]!)).toBeLessThanOrEqual(at(i, j))
        for (let k = 0; k < i; k++) {
          const kept = at(i, columns[i]!) + at(k, columns[k]!)
          const exchanged = at(i, columns[k]!) + at(k, columns[i]!)
          expect(kept).toBeLessThanOrEqual(exchanged + 1e-12)
        }
      }
    }
  })

  it('should undo a permutation', () => {
    const n = 64
    const order = createRng('order').shuffle(Array.from({ length: n }, (_, i) => i))
    const cost = new Float64Array(n * n).fill(1)
    order.forEach((column, row) => (cost[row * n + column] = 0))
    expect([...assign(cost, { rows: n, columns: n })]).toEqual(order)
  })

  it('should accept no rows', () => {
    expect(assign(new Float64Array(0), { rows: 0, columns: 3 })).toHaveLength(0)
  })

  it('should refuse costs that are not finite, too few costs and more rows than columns', () => {
    const shape = { rows: 1, columns: 2 }
    expect(() => assign(Float64Array.of(0, NaN), shape)).toThrow('row 0, column 1 is NaN')
    expect(() => assign(Float64Array.of(-Infinity, 0), shape)).toThrow(RangeError)
    expect(() => assign(Float64Array.of(0), shape)).toThrow('1 costs')
    expect(() => assign(Float64Array.of(0, 0), { rows: 2, columns: 1 })).toThrow(RangeError)
  })
})

// Helpers

function problems(
  most: number,
  value: fc.Arbitrary<number> = fc.double({ min: -9, max: 9, noNaN: true }),
) {
  return fc
    .tuple(fc.integer({ min: 1, max: most }), fc.integer({ min: 1, max: most }))
    .map(([a, b]) => ({ rows: Math.min(a, b), columns: Math.max(a, b) }))
    .chain((shape) => {
      const size = shape.rows * shape.columns
      return fc
        .array(value, { minLength: size, maxLength: size })
        .map((values) => ({ shape, cost: Float64Array.from(values) }))
    })
}

function randomCost({ rows, columns }: MatrixShape, digits: number): Float64Array {
  const rng = createRng(`cost ${digits}`)
  return Float64Array.from({ length: rows * columns }, () => Number(rng.next().toFixed(digits)))
}

function expectDistinct(columns: Int32Array, shape: MatrixShape): void {
  expect(columns).toHaveLength(shape.rows)
  expect(new Set(columns).size).toBe(shape.rows)
  expect(columns.every((j) => j >= 0 && j < shape.columns)).toBe(true)
}

function total(cost: Float64Array, shape: MatrixShape, columns: Int32Array): number {
  return columns.reduce((sum, j, i) => sum + cost[i * shape.columns + j]!, 0)
}

/** The least sum over all ways to give the rows distinct columns, by trying them. */
function cheapest(cost: Float64Array, shape: MatrixShape, row = 0, taken = 0): number {
  if (row === shape.rows) return 0
  let least = Infinity
  for (let j = 0; j < shape.columns; j++)
    if ((taken & (1 << j)) === 0) {
      const rest = cheapest(cost, shape, row + 1, taken | (1 << j))
      least = Math.min(least, cost[row * shape.columns + j]! + rest)
    }
  return least
}

import { describe, expect, it } from 'vitest'
import {
  addProduct,
  part,
  selfProduct,
  transposed,
  viewOf,
  type View64,
} from '../../../../shared/numeric/matmul64.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'

describe('addProduct', () => {
  for (const [rows, depth, columns] of [
    [1, 1, 1],
    [5, 3, 7],
    [130, 300, 9],
    [3, 0, 2],
  ] as const)
    it(`should add the product of [${rows}, ${depth}] and [${depth}, ${columns}]`, () => {
      const a = randomView(rows, depth)
      const b = randomView(depth, columns)
      const c = viewOf(new Float64Array(rows * columns).fill(1), columns)
      addProduct(c, a, b)
      addProduct(c, a, b, { sign: -1 })
      addProduct(c, a, b)
      forEach(c, (value, i, j) => expect(value).toBeCloseTo(1 + slowProduct(a, b, i, j), 10))
    })

  it('should read transposed views and parts of arrays, and leave what lies around alone', () => {
    const whole = randomView(9, 9)
    const a = transposed(part(whole, 1, 2, [6, 5])) // [5, 6]
    const b = part(whole, 3, 0, [6, 4])
    const target = viewOf(new Float64Array(49), 7)
    addProduct(part(target, 1, 2, [5, 4]), a, b)
    forEach(target, (value, i, j) => {
      const inside = i >= 1 && i < 6 && j >= 2 && j < 6
      expect(value).toBeCloseTo(inside ? slowProduct(a, b, i - 1, j - 2) : 0, 12)
    })
  })
})

describe('selfProduct', () => {
  it('should be a a transposed, exactly symmetric', () => {
    const a = randomView(141, 20)
    const product = viewOf(selfProduct(a), 141)
    forEach(product, (value, i, j) => {
      expect(value).toBeCloseTo(slowProduct(a, transposed(a), i, j), 12)
      expect(value).toBe(product.data[j * 141 + i])
    })
  })
})

// Helpers

function randomView(rows: number, columns: number): View64 {
  const rng = createRng(`${rows} ${columns}`)
  const data = Float64Array.from({ length: rows * columns }, () => rng.next() - 0.5)
  return { ...viewOf(data, columns), rows }
}

function at(view: View64, i: number, j: number): number {
  return view.data[view.offset + i * view.rowStride + j * view.columnStride]!
}

function slowProduct(a: View64, b: View64, i: number, j: number): number {
  let sum = 0
  for (let k = 0; k < a.columns; k++) sum += at(a, i, k) * at(b, k, j)
  return sum
}

function forEach(view: View64, see: (value: number, i: number, j: number) => void): void {
  for (let i = 0; i < view.rows; i++)
    for (let j = 0; j < view.columns; j++) see(at(view, i, j), i, j)
}

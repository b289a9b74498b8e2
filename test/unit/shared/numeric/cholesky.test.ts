import { describe, expect, it } from 'vitest'
import { cholesky, choleskySolve } from '../../../../shared/numeric/cholesky.ts'
import { selfProduct, viewOf } from '../../../../shared/numeric/matmul64.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'

describe('cholesky', () => {
  it('should factor a matrix by hand', () => {
    expect([...cholesky(Float64Array.of(4, 2, 2, 10), 2)!]).toEqual([2, 0, 1, 3])
  })

  for (const n of [1, 7, 64, 131])
    it(`should give a lower triangle whose product with its transpose is the matrix, n = ${n}`, () => {
      const a = positiveDefinite(n)
      const lower = cholesky(a, n)!
      for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) expect(lower[i * n + j]).toBe(0)
      selfProduct(viewOf(lower, n)).forEach((value, at) => expect(value).toBeCloseTo(a[at]!, 10))
    })

  it('should give nothing for matrices that are not positive definite', () => {
    expect(cholesky(Float64Array.of(1, 2, 2, 4), 2)).toBeUndefined()
    expect(cholesky(Float64Array.of(NaN), 1)).toBeUndefined()
    const n = 100
    const a = positiveDefinite(n)
    a[90 * n + 90] = -1
    expect(cholesky(a, n)).toBeUndefined()
  })
})

describe('choleskySolve', () => {
  it('should solve against several columns', () => {
    const n = 150
    const a = positiveDefinite(n)
    const rng = createRng('x')
    const x = Float64Array.from({ length: n * 3 }, () => rng.next())
    const b = new Float64Array(n * 3)
    for (let i = 0; i < n; i++)
      for (let j = 0; j < 3; j++)
        for (let k = 0; k < n; k++) b[i * 3 + j]! += a[i * n + k]! * x[k * 3 + j]!
    const solution = choleskySolve(cholesky(a, n)!, b, 3)
    solution.forEach((value, at) => expect(value).toBeCloseTo(x[at]!, 9))
  })
})

// Helpers

function positiveDefinite(n: number): Float64Array {
  const rng = createRng(`${n}`)
  const a = selfProduct(
    viewOf(
      Float64Array.from({ length: n * n }, () => rng.next() - 0.5),
      n,
    ),
  )
  for (let i = 0; i < n; i++) a[i * n + i]! += 0.5
  return a
}

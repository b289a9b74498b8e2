import { describe, expect, it } from 'vitest'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { symmetricEigen } from '../../../../shared/numeric/symmetric-eigen.ts'

describe('symmetricEigen', () => {
  it('should find the eigenvalues of [[2, 1], [1, 2]], ascending', () => {
    const { values, vectors } = symmetricEigen(Float64Array.of(2, 1, 1, 2), 2)
    expect(values[0]).toBeCloseTo(1, 14)
    expect(values[1]).toBeCloseTo(3, 14)
    expect(vectors[0]! * vectors[1]!).toBeCloseTo(-0.5, 14)
  })

  for (const [name, n, rank] of [
    ['of one number', 1, 1],
    ['of full rank', 37, 37],
    ['of a few dimensions in many', 90, 5],
    ['of zeros', 12, 0],
  ] as const)
    it(`should give orthonormal vectors with A v = lambda v for a matrix ${name}`, () => {
      const a = randomGram(n, rank)
      const { values, vectors } = symmetricEigen(a, n)
      const norm = Math.max(1e-300, ...values.map(Math.abs))
      for (let i = 0; i < n; i++) {
        const v = vectors.subarray(i * n, (i + 1) * n)
        if (i > 0) expect(values[i]).toBeGreaterThanOrEqual(values[i - 1]!)
        for (let r = 0; r < n; r++) {
          const residual = dot(a.subarray(r * n, (r + 1) * n), v) - values[i]! * v[r]!
          expect(Math.abs(residual)).toBeLessThanOrEqual(1e-13 * norm)
        }
        for (let k = 0; k <= i; k++) {
          const other = vectors.subarray(k * n, (k + 1) * n)
          expect(dot(v, other)).toBeCloseTo(k === i ? 1 : 0, 12)
        }
      }
      expect(values.filter((value) => value > 1e-12 * norm)).toHaveLength(rank)
    })

  it('should cope with numbers whose squares overflow or underflow', () => {
    for (const scale of [1e200, 1e-200]) {
      const a = randomGram(6, 6)
      const plain = symmetricEigen(a, 6).values
      const scaled = symmetricEigen(
        a.map((value) => value * scale),
        6,
      ).values
      plain.forEach((value, i) => expect(scaled[i]! / scale / value).toBeCloseTo(1, 10))
    }
  })

  it('should refuse numbers that are not finite', () => {
    expect(() => symmetricEigen(new Float64Array(9).fill(NaN), 3)).toThrow(RangeError)
  })
})

// Helpers

function randomGram(n: number, rank: number): Float64Array {
  const rng = createRng(`${n} ${rank}`)
  const factor = Float64Array.from({ length: n * rank }, () => rng.next() - 0.3)
  const row = (i: number) => factor.subarray(i * rank, (i + 1) * rank)
  return Float64Array.from({ length: n * n }, (_, at) => dot(row(Math.floor(at / n)), row(at % n)))
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}

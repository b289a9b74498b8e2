import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  createLeastSquares,
  leastSquares,
  type Solution,
} from '../../../../shared/numeric/least-squares.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { floats, loadFixture } from '../../../golden/fixture.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'

beforeAll(() => startTestEngine())

describe('leastSquares', () => {
  it('should fit a line', async () => {
    const X = Float32Array.of(0, 1, 1, 1, 2, 1)
    const { weights, residuals } = await leastSquares(X, Float32Array.of(1, 3, 8), 3)
    expect(weights[0]).toBeCloseTo(3.5, 12)
    expect(weights[1]).toBeCloseTo(0.5, 12)
    expect(residuals[0]).toBeCloseTo(0.25 + 1 + 0.25, 12)
  })

  it('should share a weight between equal columns, and give columns of zeros none', async () => {
    const X = Float32Array.of(1, 0, 1, 2, 0, 2)
    const { weights } = await leastSquares(X, Float32Array.of(4, 8), 2)
    expect([...weights].map((w) => Number(w.toFixed(9)))).toEqual([2, 0, 2])
  })

  for (const [name, rows, columns, spoil] of [
    ['more rows than columns', 40, 12, (x: number) => x],
    ['fewer rows than columns', 12, 40, (x: number) => x],
    ['zero columns', 40, 12, (x: number, j: number) => (j % 3 === 0 ? 0 : x)],
    ['zero columns and fewer rows', 9, 40, (x: number, j: number) => (j % 3 === 0 ? 0 : x)],
    ['zero rows', 12, 40, (x: number, _: number, i: number) => (i % 4 === 0 ? 0 : x)],
    ['equal columns', 40, 12, (_x: number, j: number, i: number) => entry(i, j % 7)],
    ['constant columns', 40, 12, (x: number, j: number) => (j < 4 ? 0.25 * j : x)],
    ['equal rows', 20, 30, (_x: number, j: number, i: number) => entry(i % 6, j)],
  ] as const)
    it(`should be the minimum-norm solution with ${name}`, async () => {
      const X = Float32Array.from({ length: rows * columns }, (_, at) => {
        const [i, j] = [Math.floor(at / columns), at % columns]
        return spoil(entry(i, j), j, i)
      })
      const A = Float32Array.from({ length: rows * 3 }, (_, at) => entry(at, 100))
      expectMinimumNorm(X, A, rows, await leastSquares(X, A, rows))
    })

  it('should drop singular values below max(rows, columns) * 2^-23 of the largest, and keep others', async () => {
    const rows = 64
    const cutoff = rows * 2 ** -23
    for (const [size, weight] of [
      [cutoff / 1.5, 0],
      [cutoff * 1.5, 1],
      [cutoff * 20, 1],
    ] as const) {
      const X = new Float32Array(rows * 2)
      X[0] = 1
      X[3] = size
      const A = X.map((value, at) => (at === 3 ? 0 : value)).filter((_, at) => at % 2 === 0)
      A[1] = size
      const { weights } = await leastSquares(X, A, rows)
      expect(weights[0]).toBeCloseTo(1, 9)
      expect(weights[1]).toBeCloseTo(weight, 6)
    }
  })

  it('should solve the first layer of a fixture, 80 rows and 197 columns, and fit it exactly', async () => {
    const fixture = loadFixture('c_kf_mlp3')
    const images = floats(fixture, 'X')
    const X = Float32Array.from({ length: 80 * 197 }, (_, at) =>
      at % 197 === 196 ? 1 : images[Math.floor(at / 197) * 196 + (at % 197)]!,
    )
    const W = floats(fixture, 'parents.1.fc1.weight')
    const b = floats(fixture, 'parents.1.fc1.bias')
    const A = new Float32Array(80 * 20)
    for (let n = 0; n < 80; n++)
      for (let u = 0; u < 20; u++) {
        let sum = b[u]!
        for (let c = 0; c < 196; c++) sum += X[n * 197 + c]! * W[u * 196 + c]!
        A[n * 20 + u] = sum
      }
    const solution = await leastSquares(X, A, 80)
    expectMinimumNorm(X, A, 80, solution)
    for (let u = 0; u < 20; u++) {
      const norm = A.reduce((sum, a, at) => sum + (at % 20 === u ? a * a : 0), 0)
      expect(solution.residuals[u]! / norm).toBeLessThan(1e-12)
    }
  })

  it('should give the inner products of the fits', async () => {
    for (const [rows, columns] of [
      [20, 6],
      [6, 20],
    ] as const) {
      const X = Float32Array.from({ length: rows * columns }, (_, at) => entry(at, 3))
      const A = Float32Array.from({ length: rows * 2 }, (_, at) => entry(at, 4))
      const { weights, fittedGram } = await leastSquares(X, A, rows)
      const fits = [0, 1].map((t) =>
        Float64Array.from({ length: rows }, (_, i) => {
          let sum = 0
          for (let j = 0; j < columns; j++) sum += X[i * columns + j]! * weights[j * 2 + t]!
          return sum
        }),
      )
      const expected = [0, 0, 0, 1, 1, 0, 1, 1].map((t) => fits[t]!)
      const gram = await fittedGram()
      gram.forEach((value, at) =>
        expect(value).toBeCloseTo(dot(expected[2 * at]!, expected[2 * at + 1]!), 10),
      )
    }
  })

  it('should not leak', async () => {
    const X = Float32Array.from({ length: 30 }, (_, at) => entry(at, 1))
    await expectNoLeakAsync(async () => {
      await (await leastSquares(X, new Float32Array(10), 10)).fittedGram()
      await leastSquares(X, new Float32Array(3), 3)
    })
  })
})

describe('createLeastSquares', () => {
  it('should give the same from blocks as from the whole', async () => {
    const [rows, columns, targets] = [50, 8, 3]
    const X = Float32Array.from({ length: rows * columns }, (_, at) => entry(at, 7))
    const A = Float32Array.from({ length: rows * targets }, (_, at) => entry(at, 8))
    const whole = await leastSquares(X, A, rows)
    const system = createLeastSquares(columns, targets)
    for (const [from, to] of [
      [0, 5],
      [5, 49],
      [49, 50],
    ] as const) {
      const x = tf.tensor2d(X.slice(from * columns, to * columns), [to - from, columns])
      const a = tf.tensor2d(A.slice(from * targets, to * targets), [to - from, targets])
      await system.add(x, a)
      tf.dispose([x, a])
    }
    const solution = await system.solve()
    expectClose(solution.weights, whole.weights, 1e-11)
    expectClose(solution.residuals, whole.residuals, 1e-11)
  })

  it('should cut large blocks up', async () => {
    const [rows, columns] = [5000, 1023]
    const system = createLeastSquares(columns, 1)
    const x = tf.tidy(() =>
      tf.oneHot(tf.range(0, rows, 1, 'int32').mod(tf.scalar(columns, 'int32')), columns).toFloat(),
    )
    const a = tf.tidy(() => tf.range(0, rows).mod(columns).expandDims(1))
    await system.add(x as tf.Tensor2D, a as tf.Tensor2D)
    tf.dispose([x, a])
    const { weights } = await system.solve()
    weights.forEach((weight, j) => expect(weight).toBeCloseTo(j, 9))
  })

  it('should refuse rows of another width', async () => {
    const system = createLeastSquares(2, 1)
    const x = tf.zeros<tf.Rank.R2>([3, 2])
    await expect(system.add(x, x)).rejects.toThrow('[3,2] and [3,2]')
    system.dispose()
    x.dispose()
  })
})

// Helpers

function entry(i: number, j: number): number {
  return Math.fround(createRng(`${i} ${j}`).next() - 0.4)
}

/** X'(X w - a) = 0, and w is orthogonal to the null space: w = X'y, by slow elimination over rows. */
function expectMinimumNorm(
  X: Float32Array,
  A: Float32Array,
  rows: number,
  { weights, residuals }: Solution,
): void {
  const columns = X.length / rows
  const targets = A.length / rows
  const row = (i: number) => Float64Array.from(X.subarray(i * columns, (i + 1) * columns))
  const basis = gramSchmidt(Array.from({ length: rows }, (_, i) => row(i)))
  for (let t = 0; t < targets; t++) {
    const w = Float64Array.from({ length: columns }, (_, j) => weights[j * targets + t]!)
    const errors = Array.from({ length: rows }, (_, i) => dot(row(i), w) - A[i * targets + t]!)
    const outside = w.slice()
    for (const direction of basis) addTo(outside, direction, -dot(outside, direction))
    expect(Math.sqrt(dot(outside, outside))).toBeLessThan(1e-8 * (1 + Math.sqrt(dot(w, w))))
    for (let j = 0; j < columns; j++) {
      const gradient = errors.reduce((sum, error, i) => sum + error * X[i * columns + j]!, 0)
      expect(Math.abs(gradient)).toBeLessThan(1e-8)
    }
    const squared = errors.reduce((sum, error) => sum + error * error, 0)
    expect(Math.abs(residuals[t]! - squared)).toBeLessThan(1e-9 * (1 + squared))
  }
}

function gramSchmidt(rows: readonly Float64Array[]): Float64Array[] {
  const basis: Float64Array[] = []
  for (const row of rows) {
    const left = row.slice()
    for (let pass = 0; pass < 2; pass++)
      for (const direction of basis) addTo(left, direction, -dot(left, direction))
    const norm = Math.sqrt(dot(left, left))
    if (norm > 1e-6) basis.push(left.map((value) => value / norm))
  }
  return basis
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}

function addTo(target: Float64Array, other: Float64Array, factor: number): void {
  other.forEach((value, i) => (target[i]! += factor * value))
}

function expectClose(values: Float64Array, expected: Float64Array, tolerance: number): void {
  expect(values).toHaveLength(expected.length)
  values.forEach((value, at) => expect(Math.abs(value - expected[at]!)).toBeLessThan(tolerance))
}

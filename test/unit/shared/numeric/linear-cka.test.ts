import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { likenessOf, linearCka } from '../../../../shared/numeric/linear-cka.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { startTestEngine } from '../../../support/engine.ts'
import { expectNoLeakAsync } from '../../../support/expect-no-leak.ts'

beforeAll(async () => {
  await startTestEngine()
})

const N = 30
const random = (seed: string, columns: number): number[][] => {
  const rng = createRng(seed)
  return Array.from({ length: N }, () => Array.from({ length: columns }, () => rng.next() * 2 - 1))
}

async function ckaOf(a: number[][], b: number[][]): Promise<number | null> {
  const [x, y] = [tf.tensor2d(a), tf.tensor2d(b)]
  try {
    return linearCka(await likenessOf(x), await likenessOf(y))
  } finally {
    tf.dispose([x, y])
  }
}

/** |Y'X|^2 / (|X'X| |Y'Y|) of centred columns, the paper's form for linear kernels, in slow float64. */
function slowCka(a: number[][], b: number[][]): number {
  const centre = (rows: number[][]) => {
    const means = rows[0]!.map((_, j) => rows.reduce((sum, row) => sum + row[j]!, 0) / rows.length)
    return rows.map((row) => row.map((x, j) => x - means[j]!))
  }
  const norm = (x: number[][], y: number[][]) =>
    Math.sqrt(
      x[0]!
        .flatMap((_, i) =>
          y[0]!.map((_, j) => x.reduce((sum, row, n) => sum + row[i]! * y[n]![j]!, 0) ** 2),
        )
        .reduce((sum, square) => sum + square, 0),
    )
  const [x, y] = [centre(a), centre(b)]
  return norm(x, y) ** 2 / (norm(x, x) * norm(y, y))
}

describe('linearCka', () => {
  it.each([
    [3, 3],
    [2, 7],
    [40, 5],
  ])('should be that of the paper for %d and %d features', async (p, q) => {
    const [a, b] = [random('a', p), random('b', q)]
    expect(await ckaOf(a, b)).toBeCloseTo(slowCka(a, b), 5)
  })

  it('should not see a turn, a shift or a scale', async () => {
    const a = random('a', 2)
    const turned = a.map(([x, y]) => [
      5e20 * (0.6 * x! - 0.8 * y!) + 3,
      5e20 * (0.8 * x! + 0.6 * y!),
    ])
    expect(await ckaOf(a, turned)).toBeCloseTo(1, 5)
  })

  it('should be null where examples cannot be told apart', async () => {
    expect(await ckaOf(random('a', 2), Array<number[]>(N).fill([1, 2]))).toBeNull()
  })

  it('should refuse different numbers of examples', () => {
    expect(() => linearCka(new Float64Array(4), new Float64Array(9))).toThrow(RangeError)
  })

  it('should leave no tensor behind', async () => {
    await expectNoLeakAsync(() => ckaOf(random('a', 2), random('b', 2)))
  })
})

import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Float64Ops, Matrix64 } from '../../../../shared/engine/float64-ops.ts'
import { nativeFloat64 } from '../../../../shared/engine/native-float64.ts'
import { createFloat64Ops, plainFloat64 } from '../../../../shared/numeric/float64.ts'
import { createRng } from '../../../../shared/numeric/rng.ts'
import { startTestEngine } from '../../../support/engine.ts'

beforeAll(() => startTestEngine())

describe('createFloat64Ops', () => {
  it('should carry every bit of a double in and out', async () => {
    const values = Float64Array.of(Math.PI, -0, 5e-324, -Infinity, 1 + Number.EPSILON, 1e300)
    const ops = createFloat64Ops()
    expect(await ops.read(ops.fromArray(values, 2))).toEqual(values)
    ops.dispose()
  })

  it('should do in float64 what JavaScript does', async () => {
    const a = random('a', 20 * 30)
    const b = random('b', 20 * 30)
    await expectSame(async (ops) => {
      const [x, y] = [ops.fromArray(a, 30), ops.fromArray(b, 30)]
      const gram = ops.product(x, x, 'b')
      const lower = await ops.cholesky(gram)
      return [
        ops.add(x, y),
        ops.scaleRows(x, b.subarray(0, 20)),
        ops.product(x, y, 'a'),
        ops.product(x, y, 'b'),
        ops.product(gram, y),
        ops.product(x, x, 'a'),
        ops.choleskySolve(lower!, y),
      ]
    })
  })

  it('should turn float32 tensors to float64 before it multiplies', async () => {
    const ops = createFloat64Ops()
    const x = tf.tensor2d([1 + 2 ** -20, 3], [1, 2])
    const product = await ops.read(
      ops.product(await ops.fromTensor(x), await ops.fromTensor(x), 'b'),
    )
    expect(product[0]).toBe((1 + 2 ** -20) ** 2 + 9)
    x.dispose()
    ops.dispose()
  })

  it('should diagonalise, with eigenvectors as columns', async () => {
    const n = 25
    const half = random('c', n * n)
    const values: Float64Array[] = []
    await expectSame(async (ops) => {
      const gram = ops.product(ops.fromArray(half, n), ops.fromArray(half, n), 'a')
      const eigen = await ops.eigen(gram)
      values.push(eigen.values)
      // V diag(lambda^2) V' = G G, which does not depend on signs.
      const scaled = ops.scaleRows(ops.product(eigen.vectors, gram, 'a'), eigen.values)
      return [ops.product(eigen.vectors, scaled)]
    })
    values[0]!.forEach((value, i) => expect(value).toBeCloseTo(values[1]![i]!, 9))
  })

  it('should give no factor of a matrix that is not positive definite', async () => {
    for (const ops of [createFloat64Ops(), plainFloat64()]) {
      expect(await ops.cholesky(ops.fromArray(Float64Array.of(1, 2, 2, 3), 2))).toBeUndefined()
      expect(await ops.cholesky(ops.fromArray(Float64Array.of(1, 0, 0, -1e-9), 2))).toBeUndefined()
      expect(await ops.cholesky(ops.fromArray(Float64Array.of(1, 2, 2, 5), 2))).toBeDefined()
      ops.dispose()
    }
  })
})

describe('nativeFloat64', () => {
  it('should exist on the native engine only, and delete every tensor it made', async () => {
    expect(nativeFloat64() !== undefined).toBe(tf.getBackend() === 'tensorflow')
    if (tf.getBackend() !== 'tensorflow') return
    const alive = new Set<number>()
    const restore = watchBinding(alive)
    try {
      const before = tf.memory().numTensors
      const ops = nativeFloat64()!
      const a = ops.fromArray(Float64Array.of(2, 1, 1, 2), 2)
      const lower = await ops.cholesky(a)
      ops.free(ops.choleskySolve(lower!, a))
      await ops.cholesky(ops.fromArray(Float64Array.of(1, 2, 2, 1), 2))
      await ops.read((await ops.eigen(a)).vectors)
      ops.scaleRows(a, Float64Array.of(1, 2))
      expect(alive.size, 'a, its factor, the other matrix, vectors, scaled rows').toBe(5)
      ops.dispose()
      ops.dispose()
      expect(alive.size).toBe(0)
      expect(tf.memory().numTensors).toBe(before)
    } finally {
      restore()
    }
  })
})

// Helpers

interface Binding {
  executeOp(...inputs: unknown[]): { id: number }[]
  deleteTensor(id: number): void
}

/** Notes the ids of tensors made and not deleted. */
function watchBinding(alive: Set<number>): () => void {
  const backend = tf.backend() as unknown as { binding: Binding }
  const { binding } = backend
  const watched: Binding = {
    executeOp(...inputs) {
      const outputs = binding.executeOp(...inputs)
      outputs.forEach(({ id }) => alive.add(id))
      return outputs
    },
    deleteTensor(id) {
      alive.delete(id)
      binding.deleteTensor(id)
    },
  }
  backend.binding = Object.create(binding, Object.getOwnPropertyDescriptors(watched)) as Binding
  return () => (backend.binding = binding)
}

function random(seed: string, length: number): Float64Array {
  const rng = createRng(seed)
  return Float64Array.from({ length }, () => rng.next() - 0.5)
}

/** Runs on the engine and in JavaScript, and compares to 1e-9 of the largest number. */
async function expectSame(
  compute: (ops: Float64Ops) => Promise<readonly Matrix64[]>,
): Promise<void> {
  const engine = createFloat64Ops()
  const plain = plainFloat64()
  const [ours, theirs] = [await compute(engine), await compute(plain)]
  for (const [k, matrix] of ours.entries()) {
    const expected = await plain.read(theirs[k]!)
    const values = await engine.read(matrix)
    expect([matrix.rows, matrix.columns]).toEqual([theirs[k]!.rows, theirs[k]!.columns])
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    values.forEach((value, at) =>
      expect(Math.abs(value - expected[at]!)).toBeLessThanOrEqual(1e-9 * largest),
    )
  }
  engine.dispose()
}

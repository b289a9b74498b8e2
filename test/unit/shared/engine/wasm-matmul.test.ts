import * as tf from '@tensorflow/tfjs'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { startEngine } from '../../../../shared/engine/engine.ts'
import { residentBytes } from '../../../support/collect-garbage.ts'
import { expectSameAsCpu } from '../../../support/wasm-kernel.ts'

beforeAll(async () => {
  await startEngine('wasm')
})

describe('matMul', () => {
  it('should multiply the transposed operands', () => {
    const product = tf.tidy(() =>
      tf
        .matMul([[1], [2]], [[3], [4]], true, false)
        .concat(tf.matMul([[1, 2]], [[3, 4]], false, true)),
    )
    expect(Array.from(product.dataSync())).toEqual([11, 11])
    product.dispose()
  })

  it('should broadcast a batch of one', async () => {
    const [a, b] = [random([1, 3, 2]), random([4, 5, 3])]
    await expectSameAsCpu('BatchMatMul', { a, b }, { transposeA: true, transposeB: true })
  })

  it('should agree with pure JavaScript for every shape and transposition', async () => {
    const size = fc.integer({ min: 1, max: 9 })
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(size, size, size, fc.integer({ min: 1, max: 3 })),
        fc.boolean(),
        fc.boolean(),
        async ([rows, inner, columns, batch], transposeA, transposeB) => {
          const a = random(transposeA ? [batch, inner, rows] : [batch, rows, inner])
          const b = random(transposeB ? [batch, columns, inner] : [batch, inner, columns])
          await expectSameAsCpu('BatchMatMul', { a, b }, { transposeA, transposeB })
        },
      ),
      { numRuns: 40 },
    )
  })

  it('should keep bias and activation of the fused product', async () => {
    const [a, b, bias] = [random([1, 4, 3]), random([1, 5, 3]), random([5])]
    const attributes = { transposeA: false, transposeB: true, activation: 'relu' }
    await expectSameAsCpu('_FusedMatMul', { a, b, bias }, attributes)
  })

  it('should multiply by a large matrix with a small copy of it, and to the bit as by its parts', async () => {
    const [inner, columns] = [5000, 3000]
    const [a, b, bias] = [random([2, inner]), random([inner, columns]), random([columns])]
    const times = (b: tf.Tensor, bias: tf.Tensor) =>
      tf.fused.matMul({ a: a.as2D(2, inner), b: b, bias, activation: 'relu' })

    const before = await residentBytes()
    const product = times(b, bias)
    // A packed copy would be of 60 MB. Columns, packed and not, are 2 of 17.
    expect((await residentBytes()) - before).toBeLessThan(50e6)
    const parts = tf.tidy(() =>
      tf.concat(
        [0, 500, 1000, 1500, 2000, 2500].map((first) =>
          times(b.slice([0, first], [inner, 500]), bias.slice(first, 500)),
        ),
        1,
      ),
    )
    expect(await product.data()).toEqual(await parts.data())
    tf.dispose([a, b, bias, product, parts])
  })
})

function random(shape: number[]): tf.Tensor {
  return tf.randomUniform(
    shape,
    -1,
    1,
    'float32',
    1 + shape.reduce((sum, size) => 31 * sum + size, 7),
  )
}

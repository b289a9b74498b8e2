import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { startEngine } from '../../../../shared/engine/engine.ts'
import {
  findTfjsNode,
  isComplete,
  nativeCacheFolder,
} from '../../../../shared/engine/native-cache.ts'
import { expectNoLeak } from '../../../support/expect-no-leak.ts'

const tfjsNode = findTfjsNode()
const isInstalled = tfjsNode !== undefined && isComplete(nativeCacheFolder(tfjsNode.version))

describe.skipIf(!isInstalled)('native kernels (skipped where the engine is not installed)', () => {
  beforeAll(async () => {
    await startEngine('native')
  })

  it('should step from 0 to 1 above zero, and keep NaN', () => {
    const x = tf.tensor1d([-2, -0, 0, 3, Infinity, NaN])
    const stepped = tf.step(x)
    expect(Array.from(stepped.dataSync())).toEqual([0, 0, 0, 1, 1, NaN])
    tf.dispose([x, stepped])
  })

  it('should leave a slope below zero to the stock kernel', () => {
    const x = tf.tensor1d([-2, 3])
    const stepped = tf.step(x, 0.5)
    expect(Array.from(stepped.dataSync())).toEqual([0.5, 1])
    tf.dispose([x, stepped])
  })

  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])('should multiply matrices, transposed (%s, %s) or not', (transposeA, transposeB) => {
    const product = tf.tidy(() => {
      const a = tf.tensor2d([1, 2, 3, 4, 5, 6], transposeA ? [3, 2] : [2, 3])
      const b = tf.tensor2d([7, 8, 9, 1, 2, 3], transposeB ? [2, 3] : [3, 2])
      // Written out as sums of products, so that no matrix product judges another.
      const rows = transposeA ? tf.transpose(a) : a // [2, 3]
      const columns = transposeB ? tf.transpose(b) : b // [3, 2]
      const expected = tf.sum(tf.mul(rows.expandDims(2), columns.expandDims(0)), 1) // [2, 2]
      return tf.stack([tf.matMul(a, b, transposeA, transposeB), expected])
    })
    const values = [...product.dataSync()]
    expect(product.shape).toEqual([2, 2, 2])
    expect(values.slice(0, 4)).toEqual(values.slice(4))
    product.dispose()
  })

  it('should leave batches of matrices to the stock kernel', () => {
    const product = tf.tidy(() =>
      tf.matMul(tf.tensor3d([1, 2, 3, 4], [2, 1, 2]), tf.tensor3d([5, 6, 7, 8], [2, 2, 1])),
    )
    expect(product.shape).toEqual([2, 1, 1])
    expect(Array.from(product.dataSync())).toEqual([17, 53])
    product.dispose()
  })

  it('should not leak', () => {
    const x = tf.tensor1d([-2, 3])
    const matrix = tf.ones<tf.Rank.R2>([2, 3])
    expectNoLeak(() => tf.step(x))
    expectNoLeak(() => tf.matMul(matrix, matrix, false, true))
    tf.dispose([x, matrix])
  })
})

import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { startEngine } from '../../../../shared/engine/engine.ts'
import {
  findTfjsNode,
  isComplete,
  nativeCacheFolder,
} from '../../../../shared/engine/native-cache.ts'
import { pairwiseMaxPool } from '../../../../shared/engine/native-max-pool.ts'
import { nativeOps } from '../../../../shared/engine/native-ops.ts'
import { expectNoLeak } from '../../../support/expect-no-leak.ts'

const tfjsNode = findTfjsNode()
const isInstalled = tfjsNode !== undefined && isComplete(nativeCacheFolder(tfjsNode.version))

describe.skipIf(!isInstalled)('pairwiseMaxPool (skipped without the native engine)', () => {
  beforeAll(async () => {
    await startEngine('native')
  })

  it('should give the maxima and gradients that TensorFlow gives', () => {
    tf.tidy(() => {
      const x = tf.randomNormal<tf.Rank.R4>([3, 6, 4, 5], 0, 1, 'float32', 3)
      const dy = tf.randomNormal([3, 3, 2, 5], 0, 1, 'float32', 4)
      const { y, back } = pairwiseMaxPool(nativeOps()!, x)
      const pool = (z: tf.Tensor) => tf.maxPool(z as tf.Tensor4D, 2, 2, 'valid')
      const [value, grad] = [pool(x), tf.grad(pool)(x, dy)]
      expect([y.shape, back(dy).shape]).toEqual([value.shape, x.shape])
      expect(y.dataSync()).toEqual(value.dataSync())
      expect(tf.max(tf.abs(tf.sub(back(dy), grad))).dataSync()[0]).toBe(0)
    })
  })

  it.each([
    ['all', [5, 5, 5, 5], [1, 0, 0, 0]],
    ['the upper two', [5, 5, 1, 1], [1, 0, 0, 0]],
    ['the right two', [1, 5, 1, 5], [0, 1, 0, 0]],
    ['the lower two', [1, 1, 5, 5], [0, 0, 1, 0]],
    ['lower left and upper right', [1, 5, 5, 1], [0, 0, 1, 0]],
  ])('should give the gradient to one maximum where %s are equal', (_, window, expected) => {
    const gradient = tf.tidy(() =>
      pairwiseMaxPool(nativeOps()!, tf.tensor4d(window, [1, 2, 2, 1])).back(tf.ones([1, 1, 1, 1])),
    )
    expect(Array.from(gradient.dataSync())).toEqual(expected)
    gradient.dispose()
  })

  it('should leave nothing alive but what tidy returns', () => {
    const x = tf.ones<tf.Rank.R4>([1, 2, 2, 1])
    expectNoLeak(() => tf.tidy(() => pairwiseMaxPool(nativeOps()!, x).back(tf.ones([1, 1, 1, 1]))))
    x.dispose()
  })
})

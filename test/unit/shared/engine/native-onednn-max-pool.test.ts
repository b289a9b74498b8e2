import * as tf from '@tensorflow/tfjs'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startEngine } from '../../../../shared/engine/engine.ts'
import {
  findTfjsNode,
  isComplete,
  nativeCacheFolder,
} from '../../../../shared/engine/native-cache.ts'
import {
  hasOneDnnMaxPool,
  oneDnnMaxPool,
} from '../../../../shared/engine/native-onednn-max-pool.ts'
import { nativeOps, type NativeOps, type PoolWindow } from '../../../../shared/engine/native-ops.ts'
import { expectNoLeak } from '../../../support/expect-no-leak.ts'

const tfjsNode = findTfjsNode()
const isInstalled = tfjsNode !== undefined && isComplete(nativeCacheFolder(tfjsNode.version))
const BY_TWO = { size: [2, 2], strides: [2, 2], pad: 'valid' } as const satisfies PoolWindow

describe.skipIf(!isInstalled)('oneDnnMaxPool (skipped without the native engine)', () => {
  beforeAll(async () => {
    await startEngine('native')
  })
  beforeEach(({ skip }) => {
    skip(!hasOneDnnMaxPool(nativeOps()!), 'this TensorFlow was built without oneDNN')
  })

  it.each<[string, [number, number, number, number], PoolWindow]>([
    ['that fit', [3, 6, 4, 5], BY_TWO],
    ['of lenet', [64, 28, 28, 6], BY_TWO],
    ['that leave a row and a column over', [2, 7, 5, 3], BY_TWO],
    ['of unequal sides', [2, 6, 6, 3], { size: [3, 2], strides: [3, 2], pad: 'valid' }],
    ['that overlap', [2, 7, 9, 17], { size: [3, 3], strides: [2, 2], pad: 'same' }],
  ])(
    'should give the maxima and gradients that TensorFlow gives for windows %s',
    (_, shape, window) => {
      tf.tidy(() => {
        // Half of the values are 0, so that many a window has equals.
        const x = tf.relu(tf.randomNormal<tf.Rank.R4>(shape, 0, 1, 'float32', 3))
        const pool = (z: tf.Tensor) =>
          tf.maxPool(z as tf.Tensor4D, [...window.size], [...window.strides], window.pad)
        const expected = pool(x)
        const dy = tf.randomNormal(expected.shape, 0, 1, 'float32', 4)
        const { y, back } = oneDnnMaxPool(nativeOps()!, x, window)
        expect([y.shape, back(dy).shape]).toEqual([expected.shape, x.shape])
        expect(y.dataSync()).toEqual(expected.dataSync())
        // Where windows overlap, gradients are summed in another order.
        const distance = tf.max(tf.abs(tf.sub(back(dy), tf.grad(pool)(x, dy)))).dataSync()[0]
        expect(distance).toBeLessThan(1e-5)
      })
    },
  )

  it.each([
    ['all', [5, 5, 5, 5], [1, 0, 0, 0]],
    ['the upper two', [5, 5, 1, 1], [1, 0, 0, 0]],
    ['the lower two', [1, 1, 5, 5], [0, 0, 1, 0]],
    ['lower left and upper right', [1, 5, 5, 1], [0, 1, 0, 0]],
  ])('should give the gradient to the first maximum where %s are equal', (_, window, expected) => {
    tf.tidy(() => {
      const x = tf.tensor4d(window, [1, 2, 2, 1])
      const gradient = oneDnnMaxPool(nativeOps()!, x, BY_TWO).back(tf.ones([1, 1, 1, 1]))
      expect(Array.from(gradient.dataSync())).toEqual(expected)
    })
  })

  it.each([
    ['one NaN', [NaN, 1, 2, 3]],
    ['nothing but NaN', [NaN, NaN, NaN, NaN]],
    ['-Infinity', [-Infinity, 1, 2, 3]],
  ])('should not hide %s', (_, window) => {
    tf.tidy(() => {
      const { y } = oneDnnMaxPool(nativeOps()!, tf.tensor4d(window, [1, 2, 2, 1]), BY_TWO)
      expect(y.dataSync()[0]).toBeNaN()
    })
  })

  it('should leave nothing alive but what tidy returns', () => {
    const x = tf.ones<tf.Rank.R4>([1, 2, 2, 1])
    expectNoLeak(() =>
      tf.tidy(() => oneDnnMaxPool(nativeOps()!, x, BY_TWO).back(tf.ones([1, 1, 1, 1]))),
    )
    x.dispose()
  })
})

describe.skipIf(!isInstalled)('hasOneDnnMaxPool (skipped without the native engine)', () => {
  it('should be false, and leak nothing, where TensorFlow lacks the op, and ask once', async () => {
    await startEngine('native')
    let asked = 0
    const without: NativeOps = {
      ...nativeOps()!,
      maxPoolWorkspace() {
        asked++
        throw new Error('Op type not registered')
      },
    }
    const backend = tf.backend()
    tf.registerBackend('without-onednn', () => Object.create(backend) as tf.KernelBackend)
    await tf.setBackend('without-onednn')
    const before = tf.memory().numTensors
    try {
      expect([hasOneDnnMaxPool(without), hasOneDnnMaxPool(without)]).toEqual([false, false])
      expect([asked, tf.memory().numTensors - before]).toEqual([1, 0])
    } finally {
      await tf.setBackend('tensorflow')
    }
  })
})

import * as tf from '@tensorflow/tfjs'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { startEngine } from '../../../../shared/engine/engine.ts'
import { expectSameAsCpu } from '../../../support/wasm-kernel.ts'

beforeAll(async () => {
  await startEngine('wasm')
})

describe('maxPoolGrad', () => {
  it('should give each gradient to the first maximum of its window', () => {
    const x = tf.tensor4d([5, 5, 1, 9], [1, 2, 2, 1])
    const tie = tf.tensor4d([5, 5, 1, 5], [1, 2, 2, 1])
    const pool = (input: tf.Tensor) => tf.maxPool(input as tf.Tensor4D, 2, 2, 'valid')
    const [unique, first] = tf.tidy(() => [tf.grad(pool)(x), tf.grad(pool)(tie)])
    expect(Array.from(unique.dataSync())).toEqual([0, 0, 0, 1])
    expect(Array.from(first.dataSync())).toEqual([1, 0, 0, 0])
    tf.dispose([x, tie, unique, first])
  })

  it('should agree with pure JavaScript for every shape, window, stride and padding', async () => {
    const few = fc.integer({ min: 1, max: 3 })
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(few, fc.integer({ min: 3, max: 9 }), fc.integer({ min: 3, max: 9 }), few),
        fc.tuple(few, few),
        fc.tuple(few, few),
        fc.constantFrom<'same' | 'valid'>('same', 'valid'),
        async (shape, filterSize, strides, pad) => {
          const info = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad)
          const input = tf.randomUniform(shape, -1, 1, 'float32', 3)
          const dy = tf.randomUniform(info.outShape, -1, 1, 'float32', 4)
          const output = tf.maxPool(input as tf.Tensor4D, filterSize, strides, pad)
          await expectSameAsCpu('MaxPoolGrad', { dy, input, output }, { filterSize, strides, pad })
        },
      ),
      { numRuns: 60 },
    )
  })
})

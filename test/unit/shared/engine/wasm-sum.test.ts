import * as tf from '@tensorflow/tfjs'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { startEngine } from '../../../../shared/engine/engine.ts'
import { expectSameAsCpu } from '../../../support/wasm-kernel.ts'

beforeAll(async () => {
  await startEngine('wasm')
})

describe('sum', () => {
  it('should add up the columns', () => {
    const sums = tf.tidy(() => tf.sum(tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]), 0))
    expect(Array.from(sums.dataSync())).toEqual([9, 12])
    sums.dispose()
  })

  it('should agree with pure JavaScript over whichever axes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 0, max: 15 }),
        fc.boolean(),
        async (shape, chosen, keepDims) => {
          const axis = shape.map((_, i) => i).filter((i) => ((chosen >> i) & 1) === 1)
          fc.pre(axis.length > 0)
          const x = tf.randomUniform(shape, -1, 1, 'float32', 5)
          await expectSameAsCpu('Sum', { x }, { axis, keepDims })
        },
      ),
      { numRuns: 60 },
    )
  })

  it('should agree with pure JavaScript on long columns', async () => {
    const x = tf.randomUniform([3, 7, 5, 6], -1, 1, 'float32', 5)
    await expectSameAsCpu('Sum', { x }, { axis: [0, 1, 2], keepDims: false })
  })
})

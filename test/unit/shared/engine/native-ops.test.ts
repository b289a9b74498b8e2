import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { nativeOps } from '../../../../shared/engine/native-ops.ts'
import { residentBytes } from '../../../support/collect-garbage.ts'
import { startTestEngine } from '../../../support/engine.ts'

beforeAll(startTestEngine)

describe('nativeOps', () => {
  it('should hold a value of its own in each variable', async ({ skip }) => {
    const ops = nativeOps() ?? skip('another engine runs')
    const variables = [1, 2].map((value) => ops.createVariable(tf.scalar(value)))
    const values = variables.map((variable) => ops.readVariable(variable))
    expect(await Promise.all(values.map((value) => value.data()))).toEqual(
      [1, 2].map((value) => Float32Array.of(value)),
    )
    tf.dispose(values)
    for (const variable of variables) ops.destroyVariable(variable)
  })

  it('should leave nothing of variables that are gone', async ({ skip }) => {
    const ops = nativeOps() ?? skip('another engine runs')
    const value = tf.zeros([10])
    const createAndDestroy = (times: number) => {
      for (let i = 0; i < times; i++) ops.destroyVariable(ops.createVariable(value))
    }
    createAndDestroy(4000)
    const before = await residentBytes()
    createAndDestroy(8000)
    expect((await residentBytes()) - before).toBeLessThan(10e6)
    value.dispose()
  })
})

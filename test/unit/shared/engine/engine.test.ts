import * as tf from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import { startEngine } from '../../../../shared/engine/engine.ts'

describe('startEngine', () => {
  it('should run on wasm when asked to', async () => {
    const engine = await startEngine('wasm')
    expect(engine).toMatchObject({ name: 'wasm', version: '4.22.0' })
    expect(tf.getBackend()).toBe('wasm')
  })

  it('should start the same engine twice', async () => {
    await startEngine('wasm')
    const kernel = tf.getKernel('BatchMatMul', 'wasm')
    await startEngine('wasm')
    expect(tf.getKernel('BatchMatMul', 'wasm')).toBe(kernel)
  })

  it('should never end in pure JavaScript', async () => {
    const engine = await startEngine('auto')
    expect(tf.getBackend()).toBe(engine.name === 'native' ? 'tensorflow' : 'wasm')
  })
})

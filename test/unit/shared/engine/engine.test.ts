import * as tf from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import type { STARTERS } from '../../../../shared/engine/engine.ts'
import { startEngine } from '../../../../shared/engine/engine.ts'
import { GraftError } from '../../../../shared/errors.ts'

const GPU = { version: '4.22.0', adapter: 'acme x1', isSoftware: false }
const SOFTWARE = { version: '4.22.0', adapter: 'google swiftshader', isSoftware: true }
const MISSING = new GraftError('GRAFT_ENGINE_UNAVAILABLE', 'It is missing.')

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
    expect(tf.getBackend()).toBe(engine.name === 'native' ? 'tensorflow' : engine.name)
  })

  it.each(['native', 'webgpu', 'wasm'] as const)(
    'should not replace %s, asked for, by another engine',
    async (name) => {
      const starters = { ...started(), [name]: fails }
      await expect(startEngine(name, starters)).rejects.toBe(MISSING)
    },
  )

  it('should take a software adapter for webgpu when asked, and say so', async () => {
    const asked: boolean[] = []
    const webgpu: typeof STARTERS.webgpu = async ({ allowSoftware }) => {
      asked.push(allowSoftware)
      return SOFTWARE
    }
    const { name, reason } = await startEngine('webgpu', { ...started(), webgpu })
    expect({ name, asked }).toEqual({ name: 'webgpu', asked: [true] })
    expect(reason).toBe('It was asked for. Software adapter google swiftshader: slow.')
  })
})

describe('startEngine with auto', () => {
  it('should take native first', async () => {
    expect(await startEngine('auto', started())).toMatchObject({ name: 'native' })
  })

  it('should take a GPU without native, but no software adapter', async () => {
    const asked: boolean[] = []
    const webgpu: typeof STARTERS.webgpu = async ({ allowSoftware }) => {
      asked.push(allowSoftware)
      return GPU
    }
    const engine = await startEngine('auto', { ...started(), native: fails, webgpu })
    expect(asked).toEqual([false])
    expect(engine.name).toBe('webgpu')
    expect(engine.reason).toBe('No native engine: It is missing. On acme x1.')
  })

  it('should say why it is neither native nor webgpu when it takes wasm', async () => {
    const engine = await startEngine('auto', { ...started(), native: fails, webgpu: fails })
    expect(engine.name).toBe('wasm')
    expect(engine.reason).toBe('No native engine: It is missing. No webgpu engine: It is missing.')
  })

  it('should not take a bug for a missing engine', async () => {
    const webgpu = () => Promise.reject(new TypeError('a bug'))
    const starters = { ...started(), native: fails, webgpu }
    await expect(startEngine('auto', starters)).rejects.toThrow('a bug')
  })
})

// Helpers

function started(): typeof STARTERS {
  return { native: async () => '1', webgpu: async () => GPU, wasm: async () => '3' }
}

const fails = () => Promise.reject(MISSING)

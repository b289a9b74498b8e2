import util from 'node:util'
import * as tf from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import {
  findTfjsNode,
  isComplete,
  nativeCacheFolder,
} from '../../../../shared/engine/native-cache.ts'
import { runProcess } from '../../../../shared/engine/run-process.ts'
import { startNative } from '../../../../shared/engine/native.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'

const tfjsNode = findTfjsNode()
const isInstalled = tfjsNode !== undefined && isComplete(nativeCacheFolder(tfjsNode.version))

describe('startNative', () => {
  it('should say when npm left the package out', async () => {
    await expect(startNative(() => undefined)).rejects.toThrow(
      /tfjs-node is not installed.*GRAFT_ENGINE_UNAVAILABLE/s,
    )
  })

  it('should say when the engine was never installed', async () => {
    await using folder = await createTemporaryFolder()
    const bare = { folder: folder.path, version: '0.0.0' }
    await expect(startNative(() => bare)).rejects.toThrow(/graft engine install/)
  })

  it.skipIf(!isInstalled)('should bring back what Node 23 removed (needs the engine)', async () => {
    Reflect.deleteProperty(util, 'isNullOrUndefined')
    await startNative()
    expect(tf.getBackend()).toBe('tensorflow')
    expect(util).toHaveProperty('isNullOrUndefined')
  })

  it.skipIf(!isInstalled)(
    'should keep its memory whole when signals come while it computes (needs the engine)',
    async () => {
      const { status, output } = await runProcess(process.execPath, ['-e', PRODUCTS_UNDER_SIGNALS])
      expect(status, output).toBe(0)
    },
  )

  it.skipIf(!isInstalled || process.platform !== 'linux')(
    'should not keep in memory what loading has read of TensorFlow (needs the engine, Linux)',
    async () => {
      const { status, output } = await runProcess(process.execPath, ['-e', PAGES_OF_LIBRARIES])
      expect(status, output).toBe(0)
      const [loaded, computed] = output.split('\n').filter(Boolean).slice(-2).map(Number)
      // Without, they are some 290 MiB.
      expect(loaded).toBeLessThan(50)
      expect(computed).toBeGreaterThan(loaded!)
      expect(computed).toBeLessThan(100)
    },
  )
})

/** MiB of TensorFlow's libraries that are resident when they are loaded, and when a product has been computed. */
const PAGES_OF_LIBRARIES = `
  const { readFileSync } = require('node:fs')
  const tf = require('@tensorflow/tfjs-node')
  function resident() {
    const parts = readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
    const own = parts.filter((part) => part.split('\\n', 1)[0].includes('libtensorflow'))
    return own.reduce((sum, part) => sum + Number(/^Rss: +(\\d+)/m.exec(part)[1]) / 1024, 0)
  }
  console.log(resident())
  // Waits for the product, whose code is read only then.
  tf.matMul(tf.randomNormal([16, 784]), tf.randomNormal([784, 256])).dataSync()
  console.log(resident())
`

/** Products of the shape that oneDNN takes with its stack on the heap, beside a thread that sends signals. */
const PRODUCTS_UNDER_SIGNALS = `
  const { Worker } = require('node:worker_threads')
  const tf = require('@tensorflow/tfjs-node')
  process.on('SIGUSR2', () => {})
  const sender = new Worker('for (;;) process.kill(process.pid, "SIGUSR2")', { eval: true })
  const flag = (name) => ({ name, type: tf.backend().binding.TF_ATTR_BOOL, value: false })
  const type = { name: 'T', type: tf.backend().binding.TF_ATTR_TYPE, value: tf.backend().binding.TF_FLOAT }
  const attributes = [type, flag('transpose_a'), flag('transpose_b')]
  const [a, b] = [tf.randomNormal([16, 784]), tf.randomNormal([784, 256])]
  for (let i = 0; i < 20000; i++) {
    tf.backend().executeSingleOutput('MatMul', attributes, [a, b]).dispose()
  }
  sender.terminate()
`

import util from 'node:util'
import * as tf from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import {
  findTfjsNode,
  isComplete,
  nativeCacheFolder,
} from '../../../../shared/engine/native-cache.ts'
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
    'should not let TensorFlow corrupt memory (needs the engine)',
    async () => {
      await startNative()
      expect(process.env['TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL']).toBe('false')
    },
  )
})

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

  it('should not leak', () => {
    const x = tf.tensor1d([-2, 3])
    expectNoLeak(() => tf.step(x))
    x.dispose()
  })
})

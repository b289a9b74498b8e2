import { memoryUsage } from 'node:process'
import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, it } from 'vitest'
import { createBenchNetwork } from '../../../../server/proxy/bench-network.ts'
import { BLOCK_LENGTH, readerOf } from '../../../../shared/model/weight-reader.ts'
import { sizeOf, type Weights } from '../../../../shared/model/weights.ts'
import { startTestEngine } from '../../../support/engine.ts'

/** One larger than a block, with rows that do not divide it. */
const SHAPES = [
  { name: 'fc1.kernel', shape: [1201, 1000] },
  { name: 'fc1.bias', shape: [1000] },
  { name: 'conv.kernel', shape: [3, 3, 2, 70_000] },
]

beforeAll(startTestEngine)

describe('createBenchNetwork', () => {
  it('should hold each network in the place of the one before, and leave no tensor behind', async () => {
    const before = tf.memory().numTensors
    const bench = createBenchNetwork(SHAPES)
    for (const scale of [1, -3]) {
      const weights = weightsOf(scale)
      await bench.load(readerOf(weights.toReversed()))
      for (const { name, shape, data } of weights) {
        const tensor = bench.source(name)
        expect(tensor.shape).toEqual(shape)
        expect(Buffer.compare(bytesOf(await tensor.data()), bytesOf(data))).toBe(0)
      }
      expect(sizeOf(SHAPES[2]!.shape)).toBeGreaterThan(BLOCK_LENGTH)
    }
    bench.dispose()
    expect(tf.memory().numTensors).toBe(before)
    await bench.load(readerOf(weightsOf(2)))
    expect((await bench.source('fc1.bias').data())[1]).toBe(2)
    bench.dispose()
    expect(tf.memory().numTensors).toBe(before)
  })

  it('should give the memory of a large one back to the system, time after time', async ({
    skip,
  }) => {
    skip(tf.getBackend() !== 'tensorflow', 'the memory of another engine never shrinks')
    const shapes = [{ name: 'fc.kernel', shape: [7000, 7000] }]
    const bytes = 4 * sizeOf(shapes[0]!.shape)
    const reader = {
      shapes,
      read: (_: number, target: Float32Array) => Promise.resolve(void target.fill(0.5)),
    }
    const bench = createBenchNetwork(shapes)
    const before = memoryUsage.rss()
    for (let time = 0; time < 3; time++) {
      await bench.load(reader)
      expect(memoryUsage.rss() - before).toBeGreaterThan(0.9 * bytes)
      bench.dispose()
      expect(memoryUsage.rss() - before).toBeLessThan(0.5 * bytes)
    }
  })

  it('should give kernels another tensor for another network, as they keep what they made of one', async () => {
    const second = tf.tensor2d(
      Float32Array.from({ length: 1201 }, (_, i) => (i === 1 ? 1 : 0)),
      [1, 1201],
    )
    const bench = createBenchNetwork(SHAPES)
    for (const scale of [1, -3]) {
      await bench.load(readerOf(weightsOf(scale)))
      const row = tf.matMul(second, bench.source('fc1.kernel'))
      expect((await row.data())[7]).toBe(scale * 1007)
      row.dispose()
    }
    bench.dispose()
    second.dispose()
  })

  it('should read no more than a block of a large weight at once', async ({ skip }) => {
    skip(tf.getBackend() === 'webgpu', 'webgpu takes it whole')
    const { shapes, read } = readerOf(weightsOf(1))
    let largest = 0
    const bench = createBenchNetwork(shapes)
    await bench.load({
      shapes,
      read(offset, target) {
        largest = Math.max(largest, target.buffer.byteLength)
        return read(offset, target)
      },
    })
    bench.dispose()
    expect(largest).toBeLessThanOrEqual(4 * BLOCK_LENGTH)
  })
})

// Helpers

function weightsOf(scale: number): Weights {
  return SHAPES.map(({ name, shape }) => ({
    ...{ name, shape },
    data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => scale * i),
  }))
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
}

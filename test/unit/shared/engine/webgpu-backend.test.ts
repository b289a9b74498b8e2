import * as tf from '@tensorflow/tfjs'
import { beforeEach, describe, expect, it } from 'vitest'
import { startWebgpu } from '../../../../shared/engine/webgpu.ts'

const hasAdapter = await startWebgpu({ allowSoftware: true }).then(
  () => true,
  () => false,
)

// Where the engine was asked for by name, a missing adapter is a failure.
const isSkipped = !hasAdapter && process.env['GRAFT_ENGINE'] !== 'webgpu'

describe.skipIf(isSkipped)('the webgpu engine (needs an adapter)', () => {
  beforeEach(async () => {
    await startWebgpu({ allowSoftware: true })
  })

  it('should be the back end, and leave no browser behind', () => {
    expect(tf.getBackend()).toBe('webgpu')
    const { navigator } = globalThis as { navigator?: { gpu?: unknown } }
    expect(navigator?.gpu).toBeUndefined()
  })

  it('should leave the processor to a software adapter while it waits for it', async ({ skip }) => {
    const { isSoftware } = await startWebgpu({ allowSoftware: true })
    skip(!isSoftware, 'the adapter is a GPU')
    const x = onGpu([200, 200])
    const before = performance.eventLoopUtilization()
    await tf.matMul(x, x).data()
    expect(performance.eventLoopUtilization(before).idle).toBeGreaterThan(0)
  })

  it('should transpose and sum integers and booleans', async () => {
    const x = tf
      .range(0, 24, 1, 'int32')
      .reshape([2, 3, 4])
      .mul(onGpu([2, 3, 4], 'int32'))
    expect(await values(x.transpose([2, 0, 1]))).toEqual([
      ...[0, 4, 8, 12, 16, 20, 1, 5, 9, 13, 17, 21],
      ...[2, 6, 10, 14, 18, 22, 3, 7, 11, 15, 19, 23],
    ])
    expect(await values(x.sum(0))).toEqual([12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34])
    expect(await values(x.greater(12).any(1))).toEqual([0, 0, 0, 0, 1, 1, 1, 1])
  })

  it('should add a vector to tensors of five and six axes', async () => {
    for (const shape of [
      [2, 1, 2, 1, 2],
      [2, 1, 2, 1, 1, 2],
    ]) {
      const sum = tf.add(onGpu(shape), onGpu([2]).mul([1, 5]))
      expect(await values(sum)).toEqual([2, 6, 2, 6, 2, 6, 2, 6])
    }
  })

  it('should send the gradient of max pooling to the first of equal maxima', async () => {
    const x = tf.tensor4d([3, 1, 1, 1, 1, 1, 1, 3, 1, 1, 2, 2, 1, 1, 2, 2], [1, 4, 4, 1])
    const pooled = tf.grad((input: tf.Tensor) => tf.maxPool(input as tf.Tensor4D, 2, 2, 'valid'))
    expect(await values(pooled(x))).toEqual([1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0])
    const overlapping = tf.grad((input: tf.Tensor) =>
      tf.maxPool(input as tf.Tensor4D, 3, 1, 'valid'),
    )
    expect(await values(overlapping(x))).toEqual([1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0])
  })

  it.each([1, 7, 8, 13, 14, 40])('should add up %i tensors', async (count) => {
    const terms = Array.from({ length: count }, (_, i) => onGpu([3]).mul(i + 1))
    const before = tf.engine().backend.numDataIds()
    const sum = tf.addN(terms)
    expect(tf.engine().backend.numDataIds() - before).toBeLessThanOrEqual(1)
    const expected = (count * (count + 1)) / 2
    expect(await values(sum)).toEqual([expected, expected, expected])
  })

  it('should copy arrays on their way in and out', async () => {
    const array = Float32Array.of(1, 2)
    const x = tf.tensor1d(array)
    array[0] = 5
    expect(await values(x)).toEqual([1, 2])
    ;(await x.data())[0] = 5
    expect(await values(x)).toEqual([1, 2])
  })

  // The last one: the back end is of no use any more.
  it('should fail to read after the GPU has refused something', async () => {
    const backend = tf.engine().backend as unknown as {
      device: { createShaderModule: (module: { code: string }) => unknown }
    }
    backend.device.createShaderModule({ code: 'no shader' })
    await expect(onGpu([2]).data()).rejects.toThrow(/The GPU refused: .*no shader/s)
  })
})

// Helpers

/** Ones that the GPU has computed; small tensors from arrays stay with the CPU, and so do their sums. */
function onGpu(shape: number[], dtype: 'float32' | 'int32' = 'float32'): tf.Tensor {
  tf.env().set('WEBGPU_CPU_FORWARD', false)
  return tf.fill(shape, 1, dtype)
}

async function values(x: tf.Tensor): Promise<number[]> {
  return [...(await x.data())]
}

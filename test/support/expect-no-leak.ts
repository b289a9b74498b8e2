import * as tf from '@tensorflow/tfjs'
import { expect } from 'vitest'

/**
 * Checks that `fn` leaves alive exactly the tensors it returns.
 * The first run is not counted: it may create variables and cached constants.
 */
export function expectNoLeak(fn: () => tf.TensorContainer): void {
  tf.dispose(fn())
  const before = tf.memory().numTensors
  const returned = fn()
  const created = tf.memory().numTensors - before
  tf.dispose(returned)
  expect(tf.memory().numTensors, `${created} tensors created, some not returned`).toBe(before)
}

/** {@link expectNoLeak} for asynchronous code, whose results hold no tensor. */
export async function expectNoLeakAsync(fn: () => Promise<unknown>): Promise<void> {
  await fn()
  const before = tf.memory().numTensors
  await fn()
  expect(tf.memory().numTensors, 'tensors alive after the second run').toBe(before)
}

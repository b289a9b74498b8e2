import * as tf from '@tensorflow/tfjs'
import { afterEach } from 'vitest'

type Check = (values: Float32Array) => void

const waiting: { tensor: tf.Tensor; check: Check }[] = []

/**
 * Checks the values of a float32 tensor when the test is over, from synchronous code, also in `tf.tidy`:
 * WebGPU has no synchronous read. Borrows the tensor.
 */
export function expectValues(tensor: tf.Tensor, check: Check): void {
  waiting.push({ tensor: tf.keep(tf.clone(tensor)), check })
}

afterEach(async () => {
  const now = waiting.splice(0)
  try {
    for (const { tensor, check } of now) check(await tensor.data<'float32'>())
  } finally {
    tf.dispose(now.map(({ tensor }) => tensor))
  }
})

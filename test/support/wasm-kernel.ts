import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs'
import { expect } from 'vitest'

type Inputs = Record<string, tf.Tensor>

/** Runs a kernel on the wasm back end. The caller owns the result. */
export function runOnWasm(kernelName: string, inputs: Inputs, attributes: object): tf.Tensor {
  return tf.engine().runKernel(kernelName, inputs, attributes as tf.NamedAttrMap)
}

/** The same kernel on tfjs's pure JavaScript back end, which is slow and plain; values only. */
export async function runOnCpu(
  kernelName: string,
  inputs: Inputs,
  attributes: object,
): Promise<{ values: Float32Array; shape: number[] }> {
  const copies: [string, Float32Array, number[]][] = Object.entries(inputs).map(([name, x]) => [
    name,
    x.dataSync<'float32'>(),
    x.shape,
  ])
  await tf.setBackend('cpu')
  // Keeps tfjs from advising another back end. Other files of the same process know nothing of it.
  tf.env().set('IS_TEST', true)
  try {
    return tf.tidy(() => {
      const onCpu = Object.fromEntries(
        copies.map(([name, x, shape]) => [name, tf.tensor(x, shape)]),
      )
      const result: tf.Tensor = tf
        .engine()
        .runKernel(kernelName, onCpu, attributes as tf.NamedAttrMap)
      return { values: result.dataSync<'float32'>().slice(), shape: result.shape }
    })
  } finally {
    tf.env().set('IS_TEST', false)
    await tf.setBackend('wasm')
  }
}

/**
 * Checks that a kernel gives on wasm what it gives in pure JavaScript, to 1e-4 of the largest value, and
 * that it leaves nothing behind in the memory of WebAssembly. Disposes `inputs`.
 */
export async function expectSameAsCpu(
  kernelName: string,
  inputs: Inputs,
  attributes: object,
): Promise<void> {
  const expected = await runOnCpu(kernelName, inputs, attributes)
  const backend = tf.backend() as unknown as BackendWasm
  const before = backend.numDataIds()
  const actual = runOnWasm(kernelName, inputs, attributes)
  expect(backend.numDataIds() - before, 'pieces of memory that are not the result').toBe(1)
  expect(actual.shape).toEqual(expected.shape)
  const values = actual.dataSync()
  const scale = expected.values.reduce((largest, x) => Math.max(largest, Math.abs(x)), 1)
  const errors = expected.values.map((x, i) => Math.abs(x - values[i]!))
  expect(errors.reduce((largest, x) => Math.max(largest, x), 0) / scale).toBeLessThan(1e-4)
  tf.dispose([actual, inputs])
  expect(backend.numDataIds()).toBe(before - Object.keys(inputs).length)
}

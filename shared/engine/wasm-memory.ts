import * as tf from '@tensorflow/tfjs'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'

/** Tensors of the wasm engine that are written where they are. */
export interface WasmMemory {
  /** A float32 tensor that holds anything yet; the caller owns it. */
  make(shape: readonly number[]): tf.Tensor
  /**
   * Copies numbers to their place in a tensor that no kernel has read yet: some keep what they made of one.
   *
   * @param offset of the first number, row by row
   */
  write(tensor: tf.Tensor, offset: number, values: Float32Array): void
}

/**
 * Why not `tf.tensor`: it takes all numbers at once, beside the memory of the engine that they are copied to.
 *
 * @returns undefined when another engine runs
 */
export function wasmMemory(): WasmMemory | undefined {
  if (tf.getBackend() !== 'wasm') return undefined
  const backend = tf.backend() as unknown as BackendWasm
  return {
    make(shape) {
      const made = backend.makeOutput([...shape], 'float32')
      return tf.engine().makeTensorFromTensorInfo(made, tf.backend())
    },
    write(tensor, offset, values) {
      backend.typedArrayFromHeap(tensor).set(values, offset)
    },
  }
}

import * as tf from '@tensorflow/tfjs'

/**
 * `tf.tidy` for a body that awaits, as to read tensors on WebGPU, which has no synchronous read. What other
 * code creates meanwhile is disposed as well.
 */
export async function tidyAsync(body: () => Promise<void>): Promise<void> {
  tf.engine().startScope()
  try {
    await body()
  } finally {
    tf.engine().endScope()
  }
}

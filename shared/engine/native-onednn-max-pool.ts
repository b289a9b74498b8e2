import * as tf from '@tensorflow/tfjs'
import type { NativeOps, PoolWindow } from './native-ops.ts'

/**
 * Max pooling by oneDNN. TensorFlow's own MaxPoolGrad searches every window anew, value by value, where
 * oneDNN looks up what the forward pass noted: there and back take 0.8 ms for [64,28,28,6] this way, 3.0
 * the other. TensorFlow uses it in graphs, but op by op, as tfjs works, it has to be asked for by name.
 *
 * The first maximum of a window gets the gradient, as in TensorFlow. NaN is another matter: both pass
 * over it in search of a maximum, and a network whose kernels are NaN would go on to train with a finite
 * loss. Here one NaN or infinity in x makes all of y NaN, for every example: fit for training alone.
 *
 * Call it in `tf.tidy`: `back` needs what lies between.
 *
 * @param x [batch, height, width, channel]; borrowed
 * @returns y [batch, height', width', channel], and the gradient at x that a gradient at y gives
 */
export function oneDnnMaxPool(
  native: NativeOps,
  x: tf.Tensor4D,
  window: PoolWindow,
): { y: tf.Tensor; back: (dy: tf.Tensor) => tf.Tensor } {
  const { y, workspace } = native.maxPoolWorkspace(x, window)
  const zeroOrNaN = tf.mul(tf.sum(x), 0) // []
  return {
    y: tf.add(y, zeroOrNaN),
    back: (dy) => native.maxPoolWorkspaceGrad({ x, y, dy, workspace }, window),
  }
}

/** Whether TensorFlow has oneDNN here: builds for Intel's processors do, those for Apple's do not. */
export function hasOneDnnMaxPool(native: NativeOps): boolean {
  const backend = tf.backend()
  const known = answers.get(backend)
  if (known !== undefined) return known
  const answer = tries(native)
  answers.set(backend, answer)
  return answer
}

function tries(native: NativeOps): boolean {
  const window = { size: [1, 1], strides: [1, 1], pad: 'valid' } as const
  try {
    tf.tidy(() => {
      native.maxPoolWorkspace(tf.ones([1, 1, 1, 1]), window)
    })
    return true
  } catch {
    // "Op type not registered": the only way to learn it, as tfjs-node cannot list TensorFlow's ops.
    return false
  }
}

const answers = new WeakMap<object, boolean>()

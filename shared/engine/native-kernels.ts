import * as tf from '@tensorflow/tfjs'
import { replaceKernel } from './replace-kernel.ts'

/** The part of tfjs-node's back end that runs one TensorFlow op on one tensor. */
interface NodeBackend {
  executeSingleInput(op: string, input: tf.TensorInfo): tf.Tensor
}

/**
 * Replaces what is slow in tfjs-node 4.22 for an avoidable reason; the back end must have been loaded.
 *
 * Step, in the gradient of every relu, takes seven ops over the whole activation there. sign(relu(x)) is
 * the same, NaN included, in two.
 */
export function registerNativeKernels(): void {
  replaceKernel('Step', 'tensorflow', (stock) => (call) => {
    const x = call.inputs['x']
    const isPlain = x?.dtype === 'float32' && call.attrs?.['alpha'] === 0
    if (!isPlain && stock !== undefined) return stock(call)
    const backend = call.backend as unknown as NodeBackend
    return tf.tidy(() => backend.executeSingleInput('Sign', backend.executeSingleInput('Relu', x!)))
  })
}

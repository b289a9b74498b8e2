import * as tf from '@tensorflow/tfjs'
import { replaceKernel } from './replace-kernel.ts'

/** The part of tfjs-node's back end that runs TensorFlow ops. */
interface NodeBackend {
  readonly binding: Readonly<Record<'TF_ATTR_TYPE' | 'TF_ATTR_BOOL' | 'TF_FLOAT', number>>
  executeSingleInput(op: string, input: tf.TensorInfo): tf.Tensor
  executeSingleOutput(
    op: string,
    attributes: readonly { name: string; type: number; value: unknown }[],
    inputs: readonly tf.TensorInfo[],
  ): tf.Tensor
}

/**
 * Replaces what is slow in tfjs-node 4.22 for an avoidable reason; the back end must have been loaded.
 *
 * Step, in the gradient of every relu, takes seven ops over the whole activation there. sign(relu(x)) is
 * the same, NaN included, in two.
 *
 * BatchMatMul runs TensorFlow's batched product for two plain matrices as well. MatMul takes two thirds
 * of its time for [64,784] by [784,512], and half of it for smaller ones.
 */
export function registerNativeKernels(): void {
  replaceKernel('Step', 'tensorflow', (stock) => (call) => {
    const x = call.inputs['x']
    const isPlain = x?.dtype === 'float32' && call.attrs?.['alpha'] === 0
    if (!isPlain && stock !== undefined) return stock(call)
    const backend = call.backend as unknown as NodeBackend
    return tf.tidy(() => backend.executeSingleInput('Sign', backend.executeSingleInput('Relu', x!)))
  })
  replaceKernel('BatchMatMul', 'tensorflow', (stock) => (call) => {
    const [a, b] = [call.inputs['a']!, call.inputs['b']!]
    const isPlain = [a, b].every(({ shape, dtype }) => shape.length === 2 && dtype === 'float32')
    if (!isPlain && stock !== undefined) return stock(call)
    const backend = call.backend as unknown as NodeBackend
    const { TF_ATTR_TYPE, TF_ATTR_BOOL, TF_FLOAT } = backend.binding
    const flag = (name: string, value: unknown) => ({ name, type: TF_ATTR_BOOL, value })
    const attributes = [
      { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT },
      flag('transpose_a', call.attrs?.['transposeA']),
      flag('transpose_b', call.attrs?.['transposeB']),
    ]
    return backend.executeSingleOutput('MatMul', attributes, [a, b])
  })
}

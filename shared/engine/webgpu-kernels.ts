import type * as tf from '@tensorflow/tfjs'
import { replaceKernel } from './replace-kernel.ts'
import type { WebgpuBackend } from './webgpu-backend.ts'

/**
 * Replaces what does not work in tfjs's WebGPU back end 4.22; the back end must have been loaded. What is
 * wrong in shaders that many kernels share is repaired in webgpu-shaders.ts.
 *
 * AddN binds a buffer for each input, and WebGPU grants eight a shader, so it fails above seven inputs.
 * Here it adds up seven at a time.
 */
export function registerWebgpuKernels(): void {
  replaceKernel('AddN', 'webgpu', (stock) => (call) => {
    const backend = call.backend as unknown as WebgpuBackend
    const { maxStorageBuffersPerShaderStage } = backend.device.limits as Record<string, number>
    const most = maxStorageBuffersPerShaderStage! - 1
    const add = (terms: readonly tf.TensorInfo[]) =>
      stock!({ ...call, inputs: terms as unknown as tf.NamedTensorInfoMap }) as tf.TensorInfo

    const terms = call.inputs as unknown as tf.TensorInfo[]
    let sum = add(terms.slice(0, most))
    for (let next = most; next < terms.length; next += most - 1) {
      const longer = add([sum, ...terms.slice(next, next + most - 1)])
      backend.disposeData(sum.dataId)
      sum = longer
    }
    return sum
  })
}

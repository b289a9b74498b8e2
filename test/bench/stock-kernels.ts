import { createRequire } from 'node:module'
import * as tf from '@tensorflow/tfjs'
import { WASM_REPLACEMENTS } from '../../shared/engine/wasm-kernels.ts'

/** Kernel functions by name. */
export type Kernels = ReadonlyMap<string, tf.KernelFunc>

/**
 * The kernels of the wasm back end that Graft replaces, as they are registered now. Stock tfjs has no
 * Conv2DBackpropFilter: there the plain way to write it stands in, one product for each entry of the filter.
 */
export function wasmKernels(): Kernels {
  const registered = tf
    .getKernelsForBackend('wasm')
    .filter(({ kernelName }) => kernelName in WASM_REPLACEMENTS)
    .map(({ kernelName, kernelFunc }) => [kernelName, kernelFunc] as const)
  return new Map([['Conv2DBackpropFilter', plainFilterGradient], ...registered])
}

/** The stock kernels of tfjs-node that Graft replaces; the engine must have been started. */
export function nativeStockKernels(): Kernels {
  const require = createRequire(import.meta.url)
  const stock = (kernel: string) => {
    const path = `@tensorflow/tfjs-node/dist/kernels/${kernel}.js`
    const [config] = Object.values(require(path) as Record<string, unknown>).filter(isKernelConfig)
    if (config === undefined) throw new TypeError(`${path} has no kernel`)
    return [kernel, config.kernelFunc] as const
  }
  return new Map([stock('BatchMatMul'), stock('Step')])
}

/** The kernels registered now under the names of `others`. */
export function namesakes(backend: string, others: Kernels): Kernels {
  return new Map([...others.keys()].map((name) => [name, tf.getKernel(name, backend).kernelFunc]))
}

/** Puts kernels in the place of those of their names. */
export function register(backendName: string, kernels: Kernels): void {
  for (const [kernelName, kernelFunc] of kernels) {
    tf.unregisterKernel(kernelName, backendName)
    tf.registerKernel({ kernelName, backendName, kernelFunc })
  }
}

/** The plain filter gradient, for stride 1, by the kernels that stand. */
function plainFilterGradient({ inputs, attrs }: Parameters<tf.KernelFunc>[0]): tf.TensorInfo {
  const [x, dy] = [inputs['x'] as tf.Tensor4D, inputs['dy'] as tf.Tensor4D]
  const filterShape = attrs!['filterShape'] as [number, number, number, number]
  const [height, width, inChannels, outChannels] = filterShape
  const pad = attrs!['pad'] as 'same' | 'valid'
  const { padInfo } = tf.backend_util.computeConv2DInfo(x.shape, filterShape, 1, 1, pad)
  const [examples, outHeight, outWidth] = dy.shape
  return tf.tidy(() => {
    const padded = tf.pad(x, [
      [0, 0],
      [padInfo.top, padInfo.bottom],
      [padInfo.left, padInfo.right],
      [0, 0],
    ])
    const rows = dy.reshape([-1, outChannels])
    const entries = Array.from({ length: height * width }, (_, i) => {
      const begin = [0, Math.floor(i / width), i % width, 0]
      const seen = padded.slice(begin, [examples, outHeight, outWidth, inChannels])
      return tf.matMul(seen.reshape([-1, inChannels]), rows, true)
    })
    return tf.stack(entries).reshape(filterShape)
  })
}

function isKernelConfig(value: unknown): value is tf.KernelConfig {
  return typeof value === 'object' && value !== null && 'kernelFunc' in value
}

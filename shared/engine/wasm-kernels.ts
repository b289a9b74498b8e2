import * as tf from '@tensorflow/tfjs'
import { replaceKernel } from './replace-kernel.ts'
import { type Replacement, toKernelFunc } from './wasm-backend.ts'
import { conv2DBackpropFilter, conv2DBackpropInput } from './wasm-conv2d.ts'
import { matMul } from './wasm-matmul.ts'
import { maxPoolGrad } from './wasm-max-pool.ts'
import { sum } from './wasm-sum.ts'

/**
 * Kernels of the wasm back end (tfjs 4.22) that are missing or slow for an avoidable reason, and what
 * stands in for each. test/bench/kernels.bench.ts prints what each is worth.
 */
export const WASM_REPLACEMENTS = {
  BatchMatMul: matMul('BatchMatMul'),
  _FusedMatMul: matMul('_FusedMatMul'),
  Conv2DBackpropFilter: conv2DBackpropFilter,
  Conv2DBackpropInput: conv2DBackpropInput,
  MaxPoolGrad: maxPoolGrad,
  Sum: sum,
} as const satisfies Record<string, Replacement>

/** Registers the replacements; the wasm back end must have been loaded. */
export function registerWasmKernels(): void {
  const stock = new Map(
    tf.getKernelsForBackend('wasm').map((kernel) => [kernel.kernelName, kernel.kernelFunc]),
  )
  for (const [kernelName, replacement] of Object.entries(WASM_REPLACEMENTS)) {
    replaceKernel(kernelName, 'wasm', () => toKernelFunc(replacement, stock))
  }
}

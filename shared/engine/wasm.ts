import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../errors.ts'
import { registerWasmKernels } from './wasm-kernels.ts'

/**
 * Makes WebAssembly the back end, with the kernels that replace slow or missing ones.
 *
 * @returns the version of the back end
 * @throws GraftError GRAFT_ENGINE_UNAVAILABLE when the binary does not start
 */
export async function startWasm(): Promise<string> {
  const { setWasmPaths, version_wasm } = await import('@tensorflow/tfjs-backend-wasm')
  // The binaries lie beside the package's main file.
  const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')
  setWasmPaths(dirname(main) + sep)
  // False, or an error, when the binary does not compile; setBackend takes no other back end instead.
  const started = await tf.setBackend('wasm').catch(() => false)
  if (!started) {
    throw new GraftError('GRAFT_ENGINE_UNAVAILABLE', 'The WebAssembly engine does not start.')
  }
  registerWasmKernels()
  return version_wasm
}

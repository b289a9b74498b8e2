import { createRequire } from 'node:module'
import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../errors.ts'
import { hushStderr } from './hush-stderr.ts'
import { paceDawn } from './pace-dawn.ts'
import { adapterName, type Gpu, isSoftware, loadDawn, NO_ADAPTER } from './webgpu-adapter.ts'
import { createWebgpuBackend } from './webgpu-backend.ts'
import { registerWebgpuKernels } from './webgpu-kernels.ts'

export interface StartedWebgpu {
  /** Version of the back end's package. */
  version: string
  /** The GPU, for people. */
  adapter: string
  /** Whether it is no GPU, but a program that takes its place: right, and slow. */
  isSoftware: boolean
}

export interface WebgpuOptions {
  /** Whether an adapter that runs on the CPU will do. */
  allowSoftware: boolean
  /** Loads Dawn; for tests. */
  load?: () => Promise<Gpu>
}

/**
 * Makes the GPU the back end: Dawn stands in for the browser that tfjs expects around it.
 *
 * @throws GraftError GRAFT_ENGINE_UNAVAILABLE, saying what is missing: a package, an adapter, or one that
 *   is more than software
 */
export async function startWebgpu(options: WebgpuOptions): Promise<StartedWebgpu> {
  const { allowSoftware, load = loadDawn } = options
  const gpu = await load()
  // Where there is no driver, Vulkan's loader writes so to stderr before this returns.
  const adapter = await hushStderr(() =>
    gpu.requestAdapter({ powerPreference: 'high-performance' }),
  )
  if (adapter === null) throw unavailable(`${NO_ADAPTER.detail} ${NO_ADAPTER.remedy}`)
  const started = {
    version: versionOfBackend(),
    adapter: adapterName(adapter.info),
    isSoftware: isSoftware(adapter.info),
  }
  if (started.isSoftware && !allowSoftware) {
    throw unavailable(`Only a software adapter was found: ${started.adapter}.`)
  }
  if ((tf.findBackend('webgpu') as tf.KernelBackend | null) === null) {
    const backend = await createWebgpuBackend(gpu, adapter).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error)
      throw unavailable(`${started.adapter} does not start: ${why}.`, error)
    })
    // How long a real GPU lets wait has not been measured: Dawn keeps its way there.
    if (started.isSoftware) paceDawn()
    tf.registerBackend('webgpu', () => backend)
  }
  if (!(await tf.setBackend('webgpu'))) throw unavailable(`${started.adapter} does not start.`)
  registerWebgpuKernels()
  return started
}

function versionOfBackend(): string {
  const require = createRequire(import.meta.url)
  return (require('@tensorflow/tfjs-backend-webgpu/package.json') as { version: string }).version
}

function unavailable(problem: string, cause?: unknown): GraftError {
  return new GraftError('GRAFT_ENGINE_UNAVAILABLE', problem, { cause })
}

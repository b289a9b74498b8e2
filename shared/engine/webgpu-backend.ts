import { createRequire } from 'node:module'
import type { DataId, DataType, KernelBackend } from '@tensorflow/tfjs'
import type { AdapterInfo, Gpu, GpuAdapter, GpuDevice } from './webgpu-adapter.ts'
import { repairShader, type WebgpuProgram } from './webgpu-shaders.ts'

/** The part of tfjs's WebGPU back end that is used or changed here. */
export interface WebgpuBackend extends KernelBackend {
  readonly device: GpuDevice
  write(values: Values, shape: number[], dtype: DataType): DataId
  runWebGPUProgram(program: WebgpuProgram, ...rest: unknown[]): unknown
}

/** A typed array, or bytes of strings. */
type Values = Awaited<ReturnType<KernelBackend['read']>>

interface WebgpuPackage {
  readonly WebGPUBackend: new (device: GpuDevice, info: AdapterInfo) => WebgpuBackend
}

/** Limits of which tfjs uses as much as the adapter has; others keep WebGPU's defaults. */
const LIMITS = [
  'maxBufferSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBufferBindingSize',
] as const

/**
 * tfjs's WebGPU back end on this adapter, with three differences that make it behave as the other engines
 * do:
 *
 * - What WebGPU refuses (a shader that does not compile, memory that is out) fails the next read. tfjs
 *   ignores it, and tensors of the same submission read as zeros.
 * - Arrays are copied on their way in and out. tfjs keeps them until it needs them on the GPU, so changing
 *   one would change the tensor.
 * - Shaders that tfjs 4.22 writes wrongly are repaired: see {@link repairShader}.
 */
export async function createWebgpuBackend(gpu: Gpu, adapter: GpuAdapter): Promise<WebgpuBackend> {
  const requiredLimits = Object.fromEntries(
    LIMITS.map((name) => [name, (adapter.limits as Record<string, number>)[name]!]),
  )
  const device = await adapter.requestDevice({ requiredLimits })
  const require = createRequire(import.meta.url)
  const { WebGPUBackend } = require('@tensorflow/tfjs-backend-webgpu') as WebgpuPackage

  class GuardedBackend extends WebGPUBackend {
    /** Dawn ends when this is collected. */
    readonly gpu = gpu
    #failure: Error | undefined

    constructor() {
      super(device, adapter.info)
      device.addEventListener('uncapturederror', (event) => {
        // The first one is the cause; Dawn would print it, and all that follow from it.
        event.preventDefault()
        this.#failure ??= event.error
      })
    }

    override write(values: Values, shape: number[], dtype: DataType): DataId {
      return super.write(copyOf(values), shape, dtype)
    }

    override async read(dataId: DataId): Promise<Values> {
      const values = await super.read(dataId)
      if (this.#failure !== undefined) {
        throw new Error(`The GPU refused: ${this.#failure.message}`, { cause: this.#failure })
      }
      return copyOf(values)
    }

    override runWebGPUProgram(program: WebgpuProgram, ...rest: unknown[]): unknown {
      return super.runWebGPUProgram(repairShader(program, rest), ...rest)
    }
  }
  return withNavigator(gpu, () => new GuardedBackend())
}

/** tfjs asks `navigator.gpu` whether there is WebGPU, once; other libraries take it for a browser. */
function withNavigator<Result>(gpu: Gpu, run: () => Result): Result {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator')
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true })
  try {
    return run()
  } finally {
    if (before === undefined) Reflect.deleteProperty(globalThis, 'navigator')
    else Object.defineProperty(globalThis, 'navigator', before)
  }
}

/** Kernels write without values where the GPU will compute them. */
function copyOf(values: Values): Values {
  return ArrayBuffer.isView(values) ? values.slice() : values
}

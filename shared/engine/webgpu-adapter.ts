import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { GraftError } from '../errors.ts'

/** What WebGPU tells of an adapter; any of it may be empty. */
export interface AdapterInfo {
  readonly vendor: string
  readonly architecture: string
  readonly device: string
  readonly description: string
  /** True for an adapter that the driver itself calls a CPU. */
  readonly isFallbackAdapter?: boolean
}

export interface GpuAdapter {
  readonly info: AdapterInfo
  readonly limits: object
  requestDevice(descriptor: { requiredLimits: Record<string, number> }): Promise<GpuDevice>
}

export interface GpuDevice {
  readonly limits: object
  addEventListener(
    type: 'uncapturederror',
    listener: (event: { readonly error: Error; preventDefault(): void }) => void,
  ): void
}

/** Dawn's `navigator.gpu`. */
export interface Gpu {
  requestAdapter(options: { powerPreference: 'high-performance' }): Promise<GpuAdapter | null>
}

/** What is wrong where Dawn finds no adapter, and what to do. */
export const NO_ADAPTER = {
  detail: 'No GPU adapter was found.',
  remedy:
    'Install the Vulkan driver of the GPU; without a GPU, set VK_ICD_FILENAMES to the ' +
    'vk_swiftshader_icd.json of Chromium (Debian: /usr/lib/chromium/) for a slow software adapter.',
} as const

/** What is wrong where npm left Dawn or the back end out, and what to do. */
export const NO_PACKAGE = {
  detail: 'npm left an optional package out: webgpu or @tensorflow/tfjs-backend-webgpu.',
  remedy: 'Run `npm ci` again, without --omit=optional.',
} as const

/** Path of Dawn's main file; undefined where npm left one of the two packages out. */
export function findDawn(): string | undefined {
  const require = createRequire(import.meta.url)
  try {
    require.resolve('@tensorflow/tfjs-backend-webgpu')
    return require.resolve('webgpu')
  } catch {
    return undefined
  }
}

/**
 * Loads Dawn, a native implementation of WebGPU, and makes the constants and classes of WebGPU global,
 * as tfjs expects of a browser.
 *
 * @returns what a browser has as `navigator.gpu`; Dawn lives until this is collected
 * @throws GraftError GRAFT_ENGINE_UNAVAILABLE when its package is missing or does not load
 */
export async function loadDawn(find = findDawn): Promise<Gpu> {
  const path = find()
  if (path === undefined) {
    throw new GraftError('GRAFT_ENGINE_UNAVAILABLE', `${NO_PACKAGE.detail} ${NO_PACKAGE.remedy}`)
  }
  try {
    const dawn = (await import(pathToFileURL(path).href)) as {
      create: (options: string[]) => Gpu
      globals: Record<string, unknown>
    }
    Object.assign(globalThis, dawn.globals)
    return dawn.create([])
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]
    throw new GraftError('GRAFT_ENGINE_UNAVAILABLE', `Dawn (WebGPU) does not load: ${why}.`, {
      cause: error,
    })
  }
}

/** A name for people: `google swiftshader (SwiftShader driver 5.0.0)`. */
export function adapterName({ vendor, architecture, device, description }: AdapterInfo): string {
  const name = [vendor, architecture].filter((word) => word !== '').join(' ') || device
  if (name === '') return description || 'an adapter without a name'
  return description === '' ? name : `${name} (${description})`
}

/** Whether the adapter is a program that runs on the CPU: SwiftShader, Mesa's lavapipe, Windows' WARP. */
export function isSoftware(info: AdapterInfo): boolean {
  const { vendor, architecture, device, description } = info
  return (
    info.isFallbackAdapter === true ||
    /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i.test(
      [vendor, architecture, device, description].join(' '),
    )
  )
}

import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import type { EngineDiagnosis } from './engine-diagnosis.ts'
import { runProcess } from './run-process.ts'
import {
  type AdapterInfo,
  adapterName,
  findDawn,
  isSoftware,
  NO_ADAPTER,
  NO_PACKAGE,
} from './webgpu-adapter.ts'

/**
 * Looks for the packages of the webgpu engine and for an adapter, in a process of its own.
 *
 * @param find where Dawn is; for tests
 */
export async function diagnoseWebgpu(find = findDawn): Promise<EngineDiagnosis> {
  const name = 'webgpu'
  const dawn = find()
  if (dawn === undefined) return { name, usable: false, ...NO_PACKAGE }
  const require = createRequire(import.meta.url)
  const { version } = require('@tensorflow/tfjs-backend-webgpu/package.json') as { version: string }
  const found = { name, version } as const
  const script = ['--input-type=module', '-e', FIND_ADAPTER, pathToFileURL(dawn).href]
  const { status, output } = await runProcess(process.execPath, script)
  const adapter = /^ADAPTER (.*)$/m.exec(output)?.[1]
  if (adapter === 'null') return { ...found, usable: false, ...NO_ADAPTER }
  if (status !== 0 || adapter === undefined) {
    const why = output.split('\n').find((line) => line.startsWith('Error')) ?? 'it crashes'
    return { ...found, usable: false, detail: `Dawn (WebGPU) does not load: ${why}.` }
  }
  const info = JSON.parse(adapter) as AdapterInfo
  const named = adapterName(info)
  if (!isSoftware(info)) return { ...found, usable: true, detail: `On ${named}.` }
  return {
    ...found,
    usable: true,
    detail: `Software adapter ${named}: slow, and used only when asked for by name.`,
  }
}

/** Prints what the adapter says of itself; Vulkan's loader may print beside it. */
const FIND_ADAPTER = `
const { create, globals } = await import(process.argv[1])
Object.assign(globalThis, globals)
const adapter = await create([]).requestAdapter({ powerPreference: 'high-performance' })
const { vendor, architecture, device, description, isFallbackAdapter } = adapter?.info ?? {}
const info = adapter && { vendor, architecture, device, description, isFallbackAdapter }
console.log('ADAPTER ' + JSON.stringify(info))`

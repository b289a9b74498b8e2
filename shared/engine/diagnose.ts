import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import {
  addonPath,
  findTfjsNode,
  isComplete,
  linkNative,
  nativeCacheFolder,
} from './native-cache.ts'
import { diagnoseWebgpu } from './diagnose-webgpu.ts'
import type { EngineDiagnosis } from './engine-diagnosis.ts'
import { whyNoWheel } from './fetch-tensorflow.ts'
import { runProcess } from './run-process.ts'

/** Looks at every engine of this machine, the fastest first; loads native and webgpu in processes of their own. */
export async function diagnoseEngines(): Promise<EngineDiagnosis[]> {
  return [...(await Promise.all([diagnoseNative(), diagnoseWebgpu()])), diagnoseWasm()]
}

/**
 * Looks for the native engine, and loads it in a process of its own.
 *
 * @param find where tfjs-node is; for tests
 */
export async function diagnoseNative(find = findTfjsNode): Promise<EngineDiagnosis> {
  const name = 'native'
  const tfjsNode = find()
  if (tfjsNode === undefined) {
    return {
      name,
      usable: false,
      detail: 'npm left the optional package @tensorflow/tfjs-node out.',
      remedy: 'Run `npm ci` again with npm 11 or newer, or with --ignore-scripts.',
    }
  }
  const { version } = tfjsNode
  const cached = nativeCacheFolder(version)
  if (isComplete(cached)) linkNative(tfjsNode, cached)
  const folder = isComplete(cached) ? cached : tfjsNode.folder
  if (!existsSync(addonPath(folder))) {
    const noWheel = whyNoWheel()
    const found = { name, usable: false, version } as const
    if (noWheel !== undefined) return { ...found, detail: noWheel }
    return { ...found, detail: 'It is not installed.', remedy: 'Run `graft engine install`.' }
  }
  const loaded = await runProcess(process.execPath, ['-e', LOAD, addonPath(folder)])
  if (loaded.status === 0)
    return { name, usable: true, version, folder, detail: 'TensorFlow loads.' }
  const why = loaded.output.split('\n').find((line) => line.startsWith('Error')) ?? 'it crashes'
  return {
    name,
    usable: false,
    version,
    folder,
    detail: `TensorFlow does not load: ${why}.`,
    remedy: 'Remove that folder and run `graft engine install`.',
  }
}

const LOAD = 'require(process.argv[1])'

function diagnoseWasm(): EngineDiagnosis {
  const require = createRequire(import.meta.url)
  try {
    const main = require.resolve('@tensorflow/tfjs-backend-wasm')
    const { version } = require('@tensorflow/tfjs-backend-wasm/package.json') as { version: string }
    return {
      name: 'wasm',
      usable: true,
      version,
      folder: dirname(main),
      detail: 'WebAssembly with SIMD.',
    }
  } catch {
    return {
      name: 'wasm',
      usable: false,
      detail: 'The package @tensorflow/tfjs-backend-wasm is not installed.',
      remedy: 'Run `npm ci`.',
    }
  }
}

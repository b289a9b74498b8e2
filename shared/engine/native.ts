import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import util from 'node:util'
import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../errors.ts'
import {
  addonPath,
  findTfjsNode,
  isComplete,
  linkNative,
  nativeCacheFolder,
  type TfjsNodePackage,
} from './native-cache.ts'
import { hushStderr } from './hush-stderr.ts'
import { registerNativeKernels } from './native-kernels.ts'

const require = createRequire(import.meta.url)

interface TfjsNode {
  readonly version: Record<string, string>
}

/**
 * Loads @tensorflow/tfjs-node and makes it the back end. Links a build from the user's cache first when
 * there is one, as `npm ci` wipes the links.
 *
 * @param find where tfjs-node is; for tests
 * @returns the version of tfjs-node
 * @throws GraftError GRAFT_ENGINE_UNAVAILABLE, saying which part is missing
 */
export async function startNative(find = findTfjsNode): Promise<string> {
  const tfjsNode = find()
  if (tfjsNode === undefined) {
    throw unavailable(
      'The package @tensorflow/tfjs-node is not installed; npm leaves this optional dependency out ' +
        'when its install script fails, so update npm and run `npm ci` again.',
    )
  }
  linkFromCache(tfjsNode)
  if (!existsSync(addonPath(tfjsNode.folder))) {
    throw unavailable('The native engine is not installed.')
  }
  restoreRemovedUtil()
  silenceTensorFlow()
  giveMemoryBack()
  try {
    // A notice about oneDNN is written while the library is loaded, before it reads any setting.
    const native = hushStderr(() => require('@tensorflow/tfjs-node') as TfjsNode)
    if (!(await tf.setBackend('tensorflow'))) throw new Error('TensorFlow refuses to start')
    registerNativeKernels()
    return native.version['tfjs-node'] ?? tfjsNode.version
  } catch (error) {
    throw unavailable(`The native engine does not load: ${firstLine(error)}.`, error)
  }
}

function linkFromCache(tfjsNode: TfjsNodePackage): void {
  const folder = nativeCacheFolder(tfjsNode.version)
  if (!isComplete(folder)) return
  try {
    linkNative(tfjsNode, folder)
  } catch (error) {
    // As where Graft was installed by another user.
    throw unavailable(`The native engine cannot be linked: ${firstLine(error)}.`, error)
  }
}

// tfjs-node 4.22 calls functions of node:util that Node 23 removed; goes when tfjs-node drops them.
function restoreRemovedUtil(): void {
  const removed: Record<string, (value: unknown) => boolean> = {
    isNullOrUndefined: (value) => value === null || value === undefined,
    isArray: (value) => Array.isArray(value),
  }
  for (const [name, is] of Object.entries(removed)) {
    if (!(name in util)) Object.assign(util, { [name]: is })
  }
}

// Leaves warnings and errors.
function silenceTensorFlow(): void {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2'
}

/**
 * With oneDNN, TensorFlow never returns memory to the system, and a freed piece that a small tensor has begun to fill does not
 * hold the next large one: the second network of 950 MB took another 950.
 */
function giveMemoryBack(): void {
  process.env['TF_ONEDNN_USE_SYSTEM_ALLOCATOR'] ??= '1'
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? ''
}

function unavailable(problem: string, cause?: unknown): GraftError {
  return new GraftError('GRAFT_ENGINE_UNAVAILABLE', problem, { cause })
}

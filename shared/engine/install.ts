import { basename } from 'node:path'
import { GraftError } from '../errors.ts'
import { fillFolder } from '../fill-folder.ts'
import { buildAddon } from './build-addon.ts'
import { fetchTensorflow, whyNoWheel } from './fetch-tensorflow.ts'
import {
  COMPLETE_MARKER,
  findTfjsNode,
  isComplete,
  isForeign,
  linkNative,
  nativeCacheFolder,
  TENSORFLOW_VERSION,
} from './native-cache.ts'
import { runProcess } from './run-process.ts'

export interface InstallProgress {
  phase: 'download' | 'unpack' | 'compile' | 'done'
  /** Share of the phase that is done, 0 to 1; absent where nobody can tell. */
  done?: number
}

export interface InstallOptions {
  signal?: AbortSignal | undefined
  onProgress?: (progress: InstallProgress) => void
}

/**
 * Makes the native engine ready for this clone: links the build in the user's cache, after making it if
 * it is not there. A build is made in a folder of its own and moved into place whole, so a failed or
 * killed install never counts, and of two at once the first to finish wins.
 *
 * @returns the folder of the build
 * @throws GraftError GRAFT_ENGINE_INSTALL_FAILED naming what is missing, GRAFT_DISK_FULL
 */
export async function ensureNative(options: InstallOptions = {}): Promise<string> {
  const tfjsNode = findTfjsNode()
  if (tfjsNode === undefined) {
    throw cannot(
      'The package @tensorflow/tfjs-node is not there: npm left this optional dependency out. ' +
        'Run `npm ci` again with npm 11 or newer, or with --ignore-scripts.',
    )
  }
  const folder = nativeCacheFolder(tfjsNode.version)
  if (!isComplete(folder)) {
    if (isForeign(tfjsNode)) return tfjsNode.folder
    await assertTools()
    await install(folder, options, async (staging) => {
      options.onProgress?.({ phase: 'download', done: 0 })
      await fetchTensorflow(staging, {
        signal: options.signal,
        onDownloaded: (done) => options.onProgress?.({ phase: 'download', done }),
        onUnpacking: () => options.onProgress?.({ phase: 'unpack' }),
      })
      options.onProgress?.({ phase: 'compile' })
      await buildAddon(tfjsNode, staging, options.signal)
    })
  }
  linkNative(tfjsNode, folder)
  options.onProgress?.({ phase: 'done', done: 1 })
  return folder
}

/** Lets `build` fill the engine's folder, whole or not at all. Exported for its tests. */
export async function install(
  folder: string,
  { signal }: InstallOptions,
  build: (staging: string) => Promise<void>,
): Promise<void> {
  await fillFolder(folder, { marker: COMPLETE_MARKER, signal }, async (staging) => {
    await build(staging)
    return { tensorflow: TENSORFLOW_VERSION, build: basename(folder) }
  })
}

/** Says all that is missing at once, so that nobody installs one tool after the other. */
async function assertTools(): Promise<void> {
  const noWheel = whyNoWheel()
  if (noWheel !== undefined) throw cannot(noWheel)
  const tools: [what: string, program: string, words: string[]][] = [
    ['Python 3 with pip', 'python3', ['-m', 'pip', '--version']],
    ['a C++ compiler (g++)', process.env['CXX']?.split(' ')[0] ?? 'g++', ['--version']],
    ['make', 'make', ['--version']],
    ['npm', 'npm', ['--version']],
  ]
  const missing: string[] = []
  for (const [what, program, words] of tools) {
    if ((await runProcess(program, words)).status !== 0) missing.push(what)
  }
  if (missing.length > 0) throw cannot(`The native engine needs ${missing.join(', ')}.`)
}

function cannot(problem: string): GraftError {
  return new GraftError('GRAFT_ENGINE_INSTALL_FAILED', problem)
}

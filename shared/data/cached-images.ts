import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { datasetFolder } from './fetch-package.ts'
import { type PackedImages, viewImages } from './packed-images.ts'

/**
 * Reads a data set that was packed before from this user's cache. Its file's name ends in the SHA-256 of
 * its bytes; a file whose bytes have another one is removed and counts as absent.
 *
 * @param name of the data set with its version, and whatever else its bytes depend on
 * @returns undefined when it is not there; the caller owns it
 */
export async function readCachedImages(name: string): Promise<PackedImages | undefined> {
  for (const file of await filesOf(name)) {
    const path = join(datasetFolder(), file)
    const bytes = await readFile(path).catch(undefinedIfGone)
    if (bytes === undefined) continue
    if (fileName(name, bytes) === file) return viewImages(bytes, path)
    await rm(path, { force: true })
  }
  return undefined
}

/** Whether a packed data set is there, by its name alone. */
export async function hasCachedImages(name: string): Promise<boolean> {
  return (await filesOf(name)).length > 0
}

/** Keeps a packed data set in this user's cache; the file appears whole or not at all. */
export async function writeCachedImages(name: string, { bytes }: PackedImages): Promise<void> {
  const path = join(datasetFolder(), fileName(name, bytes))
  await mkdir(dirname(path), { recursive: true })
  await writeFileAtomic(path, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
}

/** Another process has found the same damage, and removed the file a moment ago. */
function undefinedIfGone(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}

function fileName(name: string, bytes: Uint8Array): string {
  return `${name}.${createHash('sha256').update(bytes).digest('hex')}.images`
}

async function filesOf(name: string): Promise<string[]> {
  const files = await readdir(datasetFolder()).catch(() => [])
  return files.filter(
    (file) =>
      file.startsWith(`${name}.`) && /^[0-9a-f]{64}\.images$/.test(file.slice(name.length + 1)),
  )
}

import { copyFile, mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { toGraftError } from '../../shared/errors.ts'
import type { BlobId } from '../../shared/ids.ts'
import type { BlobStore } from './store.ts'

/**
 * Copies a published model to `<folder>/round-001.safetensors`, where people look for it.
 * @returns the file's path
 * @throws GraftError GRAFT_DISK_FULL, leaving nothing under that name
 */
export async function saveModelFile(
  blobs: BlobStore,
  model: BlobId,
  folder: string,
  round: number,
): Promise<string> {
  const file = join(folder, `round-${String(round).padStart(3, '0')}.safetensors`)
  const draft = `${file}.tmp`
  try {
    await mkdir(folder, { recursive: true })
    await copyFile(await blobs.file(model), draft)
    await rename(draft, file)
    return file
  } catch (error) {
    await rm(draft, { force: true })
    throw toGraftError(error)
  }
}

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { orGraftError } from '../../shared/errors.ts'
import type { BlobId } from '../../shared/ids.ts'
import { copyWhole } from './files.ts'
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
  await orGraftError(async () => {
    await mkdir(folder, { recursive: true })
    await copyWhole(await blobs.file(model), file)
  })
  return file
}

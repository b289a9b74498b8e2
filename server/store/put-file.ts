import type { BlobId } from '../../shared/ids.ts'
import type { FileBytes } from '../../shared/model/model-bytes.ts'
import type { BlobStore } from './store.ts'

/**
 * Stores a file while it is made: a piece of it is in memory.
 * @throws what making it throws, leaving nothing; GraftError GRAFT_DISK_FULL
 */
export async function putFile(blobs: Pick<BlobStore, 'create'>, file: FileBytes): Promise<BlobId> {
  const draft = await blobs.create()
  try {
    for await (const bytes of file) await draft.write(bytes)
    return await draft.keep()
  } finally {
    await draft.discard()
  }
}

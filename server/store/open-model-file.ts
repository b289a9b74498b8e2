import type { BlobId } from '../../shared/ids.ts'
import { type OpenSafetensors, openSafetensorsFile } from '../../shared/model/stored-weights.ts'
import type { BlobStore } from './store.ts'

/**
 * Opens a stored safetensors file, verified; its tensors are read where they are wanted.
 * @throws GraftError GRAFT_BLOB_UNKNOWN, GRAFT_BLOB_CORRUPT, GRAFT_MODEL_FILE_INVALID
 */
export async function openModelFile(
  blobs: Pick<BlobStore, 'open'>,
  id: BlobId,
): Promise<OpenSafetensors> {
  return openSafetensorsFile(await blobs.open(id))
}

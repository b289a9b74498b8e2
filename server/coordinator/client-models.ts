import type { Encoding } from '../../shared/model/encodings.ts'
import type { BlobId } from '../../shared/ids.ts'
import { encodedModelBytes } from '../../shared/model/model-bytes.ts'
import { readerOfModel } from '../../shared/model/stored-weights.ts'
import { openModelFile } from '../store/open-model-file.ts'
import { putFile } from '../store/put-file.ts'
import type { BlobStore } from '../store/store.ts'

/** The model that a round ends with is the one that the next begins with; an operator may choose an older one. */
const REMEMBERED = 8

/**
 * Encodes a stored model for the clients of a run, once for all of them: they pull one blob. What is stored stays as it is. Asked
 * again after a restart it gives the same blob, so that a round goes on with what its clients have. Encoded models that nobody has
 * asked for since eight others are removed.
 */
export function createClientModels(
  blobs: BlobStore,
  encoding: Encoding,
): (model: BlobId) => Promise<BlobId> {
  const encoded = new Map<BlobId, Promise<BlobId>>()

  async function encode(model: BlobId, encoding: Exclude<Encoding, 'float32'>): Promise<BlobId> {
    const file = await openModelFile(blobs, model)
    return putFile(blobs, encodedModelBytes(readerOfModel(file), file.metadata, encoding))
  }

  async function forget(model: BlobId, old: Promise<BlobId>): Promise<void> {
    encoded.delete(model)
    // One that could not be encoded is not there.
    const id = await old.catch(() => null)
    if (id !== null) await blobs.remove(id)
  }

  return async (model) => {
    if (encoding === 'float32') return model
    const known = encoded.get(model) ?? encode(model, encoding)
    encoded.delete(model)
    encoded.set(model, known)
    const [oldest] = encoded
    if (encoded.size > REMEMBERED && oldest !== undefined) await forget(...oldest)
    try {
      return await known
    } catch (error) {
      encoded.delete(model)
      throw error
    }
  }
}

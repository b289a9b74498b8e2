import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { GraftError, toGraftError } from '../shared/errors.ts'
import { BlobId } from '../shared/ids.ts'
import { decodeSafetensors } from '../shared/model/safetensors.ts'
import type { Weights } from '../shared/model/weights.ts'

export interface ModelFile {
  /** SHA-256 of the file. */
  readonly id: BlobId
  readonly weights: Weights
}

/**
 * Reads a model that a run is to start from.
 * @throws GraftError GRAFT_FILE_UNREADABLE, GRAFT_MODEL_FILE_INVALID, each naming the file
 */
export async function readModelFile(path: string): Promise<ModelFile> {
  try {
    const bytes = await readFile(path)
    const id = BlobId.parse(createHash('sha256').update(bytes).digest('hex'))
    return { id, weights: decodeSafetensors(bytes).tensors }
  } catch (error) {
    const { code, problem } = toGraftError(error)
    throw new GraftError(code, problem.includes(path) ? problem : `${path}: ${problem}`)
  }
}

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { BlobId } from '../shared/ids.ts'
import type { Network } from '../shared/model/network.ts'
import { decodeSafetensors } from '../shared/model/safetensors.ts'
import type { Weights } from '../shared/model/weights.ts'
import type { Layout } from '../shared/model/layouts.ts'
import { layoutOf, toOurLayout } from './offline/layout.ts'
import { naming } from '../shared/naming.ts'
import type { ParentFile } from './offline/parent-files.ts'

/** A safetensors file that a run is to start from. */
export interface ModelFile extends ParentFile {
  /** SHA-256 of the file. */
  readonly id: BlobId
}

/** @throws GraftError GRAFT_FILE_UNREADABLE, GRAFT_MODEL_FILE_INVALID, each naming the file */
export async function readModelFile(path: string): Promise<ModelFile> {
  return naming(path, async () => fileOf(path, await readFile(path)))
}

/**
 * @param file its name, for messages
 * @param bytes of a safetensors file
 * @throws GraftError GRAFT_MODEL_FILE_INVALID
 */
export function fileOf(file: string, bytes: Uint8Array): ModelFile {
  const id = BlobId.parse(createHash('sha256').update(bytes).digest('hex'))
  return { id, file, isFolder: false, ...decodeSafetensors(bytes) }
}

/**
 * The weights in the file as the run's network has them.
 *
 * @param layout what the file says of itself, or else Graft's own, when not given
 * @throws GraftError GRAFT_OPTION_INVALID when it is plainly of the other layout; GRAFT_SHAPE_MISMATCH
 */
export async function startingWeights(
  file: ModelFile,
  layout: Layout | undefined,
  { name, architecture, build }: Network,
): Promise<Weights> {
  const plan = { name, architecture, build: async () => build() }
  return (await toOurLayout(file, layoutOf(layout, [file]), plan)).weights
}

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { GraftError } from '../../shared/errors.ts'
import { compareIds } from '../../shared/ids.ts'
import { decodeSafetensors } from '../../shared/model/safetensors.ts'
import { readWeights, type Weights } from '../../shared/model/weights.ts'
import { readLayersModel } from '../../shared/model-files/layers-model-folder.ts'
import { naming } from '../../shared/naming.ts'
import { isModelFolder } from './model-plan.ts'

/** A parent as it lies on disk, before anyone knows of which architecture it is. */
export interface ParentFile {
  /** The path as it was given. */
  readonly file: string
  /** As in the file. */
  readonly tensors: Weights
  readonly metadata: Readonly<Record<string, string>>
  /** It has a topology of its own, and with it our names and axes. */
  readonly isFolder: boolean
}

/**
 * Reads parents, safetensors files or TensorFlow.js folders, in the order of their paths: that of every
 * sum and every tree.
 *
 * @throws GraftError GRAFT_FILE_UNREADABLE, GRAFT_MODEL_FILE_INVALID, each naming the file;
 *   GRAFT_OPTION_INVALID for one that is given twice
 */
export async function readParentFiles(files: readonly string[]): Promise<ParentFile[]> {
  const places = new Set<string>()
  for (const file of files) {
    if (places.has(resolve(file))) {
      throw new GraftError('GRAFT_OPTION_INVALID', `${file} is given twice.`)
    }
    places.add(resolve(file))
  }
  const parents: ParentFile[] = []
  for (const file of [...files].sort(compareIds)) {
    parents.push(isModelFolder(file) ? await readFolder(file) : await readTensors(file))
  }
  return parents
}

async function readTensors(file: string): Promise<ParentFile> {
  return naming(file, async () => {
    const { tensors, metadata } = decodeSafetensors(await readFile(file))
    return { file, tensors, metadata, isFolder: false }
  })
}

async function readFolder(file: string): Promise<ParentFile> {
  const model = await readLayersModel(file)
  try {
    return { file, tensors: await readWeights(model), metadata: {}, isFolder: true }
  } finally {
    model.dispose()
  }
}

import { mkdir, readFile } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import type * as tf from '@tensorflow/tfjs'
import writeFileAtomic from 'write-file-atomic'
import { GraftError } from '../errors.ts'
import { decodeLayersModel, encodeLayersModel } from '../model/layers-model.ts'
import { MODEL_JSON, parseModelJson } from '../model/layers-model-format.ts'
import { naming } from '../naming.ts'

/**
 * Reads a model from a folder in TensorFlow.js's format: `model.json` and the files that it names.
 *
 * @returns a model the caller owns and disposes
 * @throws GraftError GRAFT_FILE_UNREADABLE, GRAFT_MODEL_FILE_INVALID, each naming the file
 */
export async function readLayersModel(folder: string): Promise<tf.LayersModel> {
  const path = join(folder, MODEL_JSON)
  const bytes = await naming(path, () => readFile(path))
  const json = await naming(path, async () => parseModelJson(bytes))
  const shards: Uint8Array[] = []
  for (const name of json.paths) {
    const shard = await naming(path, async () => pathInside(folder, name))
    shards.push(await naming(shard, () => readFile(shard)))
  }
  return naming(path, () => decodeLayersModel(json, shards))
}

/**
 * Writes a model into a folder, made when there is none, so that `tf.loadLayersModel` reads it.
 * `model.json` comes last: a folder that has it has the rest too.
 *
 * @param model borrowed
 * @throws GraftError GRAFT_DISK_FULL, GRAFT_FILE_UNREADABLE
 */
export async function writeLayersModel(folder: string, model: tf.LayersModel): Promise<void> {
  const files = await encodeLayersModel(model)
  await naming(folder, () => mkdir(folder, { recursive: true }))
  for (const [name, bytes] of files) {
    const path = join(folder, name)
    await naming(path, () =>
      writeFileAtomic(path, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)),
    )
  }
}

/** A model from a stranger must not name files of ours. */
function pathInside(folder: string, name: string): string {
  const path = resolve(folder, name)
  const inside = relative(folder, path)
  const isOutside = inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)
  if (inside === '' || isOutside || name.includes('\0')) {
    throw new GraftError(
      'GRAFT_MODEL_FILE_INVALID',
      `It names ${JSON.stringify(name)}, which is no file of its folder.`,
    )
  }
  return path
}

import type { Layout } from '../../shared/model/layouts.ts'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import type * as tf from '@tensorflow/tfjs'
import writeFileAtomic from 'write-file-atomic'
import { GraftError } from '../../shared/errors.ts'
import { encodeSafetensors } from '../../shared/model/safetensors.ts'
import { type Weights, writeWeights } from '../../shared/model/weights.ts'
import { writeLayersModel } from '../../shared/model-files/layers-model-folder.ts'
import type { Trained } from './class-counts.ts'
import { toFileLayout } from './layout.ts'
import type { ModelPlan } from './model-plan.ts'
import { naming } from '../../shared/naming.ts'

export interface FusedFile {
  /** A folder in TensorFlow.js's format when it ends in a slash, else a safetensors file. */
  readonly out: string
  readonly layout: Layout
  readonly plan: ModelPlan
  /** Method with its options. */
  readonly method: string
  /** Paths of the parents, in the order of fusion. */
  readonly files: readonly string[]
  /** Of the parents, in their order. */
  readonly counts: readonly Trained[]
}

const isFolder = (out: string): boolean => /[/\\]$/.test(out)

/**
 * Finds out before the work begins that its result would have no place.
 * @throws GraftError GRAFT_OPTION_INVALID when it would take the place of a parent; GRAFT_FILE_UNREADABLE
 */
export async function assertCanWrite(out: string, files: readonly string[]): Promise<void> {
  if (files.some((file) => resolve(file) === resolve(out))) {
    throw new GraftError('GRAFT_OPTION_INVALID', `--out ${out} would take the place of a parent.`)
  }
  if (isFolder(out)) return
  await naming(out, () => access(dirname(resolve(out)), constants.W_OK))
}

/**
 * Writes the result with what it was made of, so that it can be a parent again. It appears whole or not
 * at all; a folder has no place for counts.
 *
 * @param model of the result's topology; borrowed, its weights are overwritten
 * @throws GraftError GRAFT_DISK_FULL, GRAFT_FILE_UNREADABLE, GRAFT_OPTION_INVALID
 */
export async function writeFused(
  weights: Weights,
  model: tf.LayersModel,
  { out, layout, plan, method, files, counts }: FusedFile,
): Promise<void> {
  if (isFolder(out)) {
    writeWeights(model, weights)
    await writeLayersModel(out, model)
    return
  }
  const classCounts = counts[0]!.classCounts.map((_, label) =>
    counts.reduce((sum, { classCounts }) => sum + classCounts[label]!, 0),
  )
  const bytes = encodeSafetensors(toFileLayout(weights, layout, plan), {
    // What PyTorch's readers ask for.
    format: layout === 'torch' ? 'pt' : 'graft',
    layout,
    architecture: plan.name,
    method,
    parents: JSON.stringify(files.map((file) => basename(file))),
    num_examples: String(counts.reduce((sum, { numExamples }) => sum + numExamples, 0)),
    class_counts: JSON.stringify(classCounts),
  })
  await naming(out, () =>
    writeFileAtomic(out, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
  )
}

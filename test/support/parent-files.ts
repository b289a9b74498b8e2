import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FuseFilesInput } from '../../server/offline/fuse-options.ts'
import { toFileLayout } from '../../server/offline/layout.ts'
import { planModel } from '../../server/offline/model-plan.ts'
import { initialWeights } from '../../shared/model/initial-weights.ts'
import type { Layout } from '../../shared/model/layouts.ts'
import { encodeSafetensors } from '../../shared/model/safetensors.ts'
import type { NamedTensor } from '../../shared/model/weights.ts'
import { createRng } from '../../shared/numeric/rng.ts'

/** Small enough for a hundred fusions, for MNIST all the same. */
export const SMALL = 'mlp:784-8-6-10'

export interface ParentOptions {
  readonly spec?: string
  readonly layout?: Layout
  readonly metadata?: Readonly<Record<string, string>>
  readonly change?: (weights: NamedTensor[]) => void
}

/** Writes an untrained network, whose seed is its name. @returns its path */
export async function writeParent(
  folder: string,
  name: string,
  { spec = SMALL, layout = 'tf', metadata = {}, change }: ParentOptions = {},
): Promise<string> {
  const plan = planModel(spec)
  const weights = initialWeights(plan.architecture!, createRng(name))
  change?.(weights)
  const file = join(folder, `${name}.safetensors`)
  await writeFile(file, encodeSafetensors(toFileLayout(weights, layout, plan), metadata))
  return file
}

/** What a parent says of examples of which it saw so many a class. */
export const counted = (classCounts: readonly number[]): Record<string, string> => ({
  num_examples: String(classCounts.reduce((sum, count) => sum + count, 0)),
  class_counts: JSON.stringify(classCounts),
})

/** Options as `graft fuse` has them by default, in the engine of the tests. */
export function fuseInput(given: Partial<FuseFilesInput>): FuseFilesInput {
  return {
    files: [],
    method: 'nt',
    model: SMALL,
    target: undefined,
    layout: undefined,
    scores: 'conductance',
    ownData: null,
    proxy: null,
    test: undefined,
    normalisation: undefined,
    tune: { mode: 'both', epochs: 0, learningRate: 0.001, batchSize: 32 },
    out: undefined,
    seed: 7,
    engine: 'wasm',
    ...given,
  }
}

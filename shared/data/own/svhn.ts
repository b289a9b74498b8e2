import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type MatArray, parseMat5 } from './mat5.ts'
import { invalidData, type RawData, type RawSplit } from './raw-data.ts'

const SIDE = 32
const PIXELS = SIDE * SIDE
const TRAIN = 'train_32x32.mat'
const TEST = 'test_32x32.mat'

/**
 * SVHN, cropped digits (format 2), in the official split, from `train_32x32.mat` and `test_32x32.mat` in one
 * folder; `extra_32x32.mat` is not read. Source: Netzer et al. 2011, "Reading digits in natural images with
 * unsupervised feature learning".
 *
 * @param path the folder, or one of the two files
 * @throws GraftError GRAFT_DATA_INVALID when a file is missing, cut or of another form
 */
export async function readSvhn(path: string): Promise<RawData> {
  const folder = (await stat(path)).isDirectory() ? path : dirname(path)
  return {
    kind: 'SVHN',
    inputShape: [SIDE, SIDE, 3],
    numClasses: 10,
    classNames: Array.from({ length: 10 }, (_, digit) => String(digit)),
    columns: null,
    train: await readSplit(join(folder, TRAIN)),
    test: await readSplit(join(folder, TEST)),
    notes: [],
  }
}

async function readSplit(file: string): Promise<RawSplit> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw invalidData(`${file} cannot be read: put ${TRAIN} and ${TEST} into one folder.`, cause)
  })
  const arrays = parseMat5(bytes, file)
  const [images, labels] = ['X', 'y'].map((wanted) => arrays.find(({ name }) => name === wanted))
  if (images === undefined || labels === undefined) {
    const names = arrays.map(({ name }) => name).join(', ') || 'none'
    throw invalidData(`${file} has the arrays ${names}, not X and y: it is not one of SVHN's.`)
  }
  return { values: toPixels(images, file), labels: toLabels(labels, images.shape[3]!, file) }
}

/** From [height, width, channels, size], the first axis fastest, to [size, height, width, channels]. */
function toPixels({ shape, data }: MatArray, file: string): Uint8Array {
  const [height, width, channels, size = 0, ...others] = shape
  const isRight = height === SIDE && width === SIDE && channels === 3 && others.length === 0
  if (!isRight || size === 0 || !(data instanceof Uint8Array)) {
    throw invalidData(`${file} has an X of shape [${shape}], not bytes of [32, 32, 3, size].`)
  }
  const pixels = new Uint8Array(data.length)
  for (let i = 0; i < size; i++) {
    const image = i * 3 * PIXELS
    for (let channel = 0; channel < 3; channel++) {
      for (let x = 0; x < SIDE; x++) {
        for (let y = 0; y < SIDE; y++) {
          const from = image + channel * PIXELS + x * SIDE + y
          pixels[image + (y * SIDE + x) * 3 + channel] = data[from]!
        }
      }
    }
  }
  return pixels
}

/** The files call the digit 0 class 10. */
function toLabels({ data }: MatArray, size: number, file: string): Int32Array {
  if (data.length !== size)
    throw invalidData(`${file} has ${size} images and ${data.length} labels.`)
  const wrong = data.findIndex((label) => !Number.isInteger(label) || label < 1 || label > 10)
  if (wrong >= 0)
    throw invalidData(`${file}: image ${wrong} has the label ${data[wrong]!}, not 1 to 10.`)
  return Int32Array.from(data, (label) => label % 10)
}

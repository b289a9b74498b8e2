import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { compareIds } from '../../ids.ts'
import { decodeImage, type ImageFacts, readImageFacts } from '../decode-image.ts'
import { orderClasses } from './class-names.ts'
import { invalidData, type RawData, type RawSplit, type ReadOptions } from './raw-data.ts'

export interface ImageSize {
  readonly height: number
  readonly width: number
}

export interface ImageOptions extends ReadOptions {
  /** The size that images get; the most frequent one when not given. */
  readonly imageSize?: ImageSize | undefined
  /** 1: grey, 3: RGB; RGB when not given unless every image is grey. */
  readonly channels?: 1 | 3 | undefined
}

/** Files read and decoded at a time. */
const BATCH = 16
/** What fits into one array; some 1.4 million colour images of 32x32. */
const MAX_BYTES = 2 ** 32

interface ImageFile {
  readonly path: string
  readonly className: string
}

/**
 * Reads a folder with one sub-folder a class, each with PNG or JPEG files. Sub-folders `train` and `test`
 * that hold such folders are taken for the two splits. Classes and files go by name.
 *
 * @throws GraftError GRAFT_DATA_INVALID for a class without images, an image that is broken (named), or
 *   images that lie in no class
 * @throws the signal's reason when it aborts
 */
export async function readImageFolder(path: string, options: ImageOptions = {}): Promise<RawData> {
  const notes: string[] = []
  const splits = await splitFolders(path)
  const trainFiles = await imageFiles(splits?.train ?? path, notes)
  const testFiles = splits === null ? [] : await imageFiles(splits.test, notes)
  const classNames = orderClasses(
    trainFiles.map(({ className }) => className),
    path,
  )
  const stranger = testFiles.find(({ className }) => !classNames.includes(className))
  if (stranger !== undefined) {
    throw invalidData(
      `${stranger.path} is of class ${stranger.className}, which has no folder in ${splits!.train}: it could never be learnt.`,
    )
  }
  const files = [...trainFiles, ...testFiles]
  const reading = { done: 0, of: 2 * files.length }
  const facts = await inBatches(files, reading, options, async ({ path: file }) =>
    naming(file, async () => readImageFacts(await readFile(file))),
  )
  const size = options.imageSize ?? mostFrequentSize(facts, notes)
  const channels = options.channels ?? (facts.every(({ isGrey }) => isGrey) ? 1 : 3)
  if (options.channels === undefined && channels === 3 && facts.some(({ isGrey }) => isGrey)) {
    const grey = facts.filter(({ isGrey }) => isGrey).length
    notes.push(`${grey} of ${facts.length} images are grey, and are read as RGB like the others.`)
  }
  const decode = async (some: readonly ImageFile[]): Promise<RawSplit> => {
    const stride = size.height * size.width * channels
    if (some.length * stride > MAX_BYTES) {
      throw invalidData(
        `${some.length} images of ${size.height}x${size.width} in ${channels} channels are more than 4 GiB: choose a smaller --image-size.`,
      )
    }
    const values = new Uint8Array(some.length * stride)
    await inBatches(some, reading, options, async ({ path: file }, i) => {
      const { pixels } = await naming(file, async () =>
        decodeImage(await readFile(file), { channels, size }),
      )
      values.set(pixels, i * stride)
    })
    const labels = some.map(({ className }) => classNames.indexOf(className))
    return { values, labels: Int32Array.from(labels) }
  }
  return {
    kind: 'folder of images',
    inputShape: [size.height, size.width, channels],
    numClasses: classNames.length,
    classNames,
    columns: null,
    train: await decode(trainFiles),
    test: splits === null ? null : await decode(testFiles),
    notes,
  }
}

/** `train` and `test`, where the folder is divided so; a class may be called train, and then holds images. */
async function splitFolders(path: string): Promise<{ train: string; test: string } | null> {
  const { folders } = await list(path)
  const isSplit = async (name: string) =>
    folders.includes(name) && (await list(join(path, name))).folders.length > 0
  const [hasTrain, hasTest] = [await isSplit('train'), await isSplit('test')]
  if (hasTrain && hasTest) return { train: join(path, 'train'), test: join(path, 'test') }
  if (!hasTrain && !hasTest) return null
  const [there, missing] = hasTrain ? ['train', 'test'] : ['test', 'train']
  throw invalidData(
    `${path} has a folder ${there} with classes, but no such folder ${missing}: add it, or give ${join(path, there)} alone, of which a fifth is then held out to judge.`,
  )
}

async function imageFiles(path: string, notes: string[]): Promise<ImageFile[]> {
  const { folders, files } = await list(path)
  const loose = files.find(isImage)
  if (loose !== undefined) {
    throw invalidData(
      `${join(path, loose)} lies in no class: put each image into a sub-folder that is named after its class.`,
    )
  }
  if (folders.length === 0) {
    throw invalidData(
      `${path} holds no classes: it must have one sub-folder a class, each with PNG or JPEG images.`,
    )
  }
  const found: ImageFile[] = []
  let others = 0
  for (const className of folders) {
    const inside = (await list(join(path, className))).files
    const images = inside.filter(isImage)
    if (images.length === 0) {
      throw invalidData(
        `The class folder ${join(path, className)} has no images: put PNG or JPEG files (.png, .jpg, .jpeg) there, or remove it.`,
      )
    }
    others += inside.length - images.length
    found.push(...images.map((name) => ({ path: join(path, className, name), className })))
  }
  if (others > 0)
    notes.push(`${others} files in ${basename(path)} are no PNG or JPEG and were left out.`)
  return found
}

const isImage = (name: string): boolean => /\.(png|jpe?g)$/i.test(name)

/** What a folder holds, by name; hidden entries belong to the system. */
async function list(path: string): Promise<{ folders: string[]; files: string[] }> {
  const entries = (await readdir(path, { withFileTypes: true })).filter(
    ({ name }) => !name.startsWith('.'),
  )
  const names = (some: typeof entries) => some.map(({ name }) => name).sort(compareIds)
  return {
    folders: names(entries.filter((entry) => entry.isDirectory())),
    // A link to an image is one.
    files: names(entries.filter((entry) => !entry.isDirectory())),
  }
}

/** The size most images have, the larger one of two; the others are resized to it, which is said. */
function mostFrequentSize(facts: readonly ImageFacts[], notes: string[]): ImageSize {
  const counts = new Map<string, { size: ImageSize; count: number }>()
  for (const { height, width } of facts) {
    const key = `${height}x${width}`
    const entry = counts.get(key) ?? { size: { height, width }, count: 0 }
    counts.set(key, { ...entry, count: entry.count + 1 })
  }
  const areaOf = ({ size }: { size: ImageSize }) => size.height * size.width
  const [first] = [...counts.values()].sort(
    (a, b) => b.count - a.count || areaOf(b) - areaOf(a) || b.size.height - a.size.height,
  )
  const { size, count } = first!
  if (counts.size > 1) {
    notes.push(
      `Images are of ${counts.size} sizes: ${facts.length - count} of ${facts.length} were resized to the most frequent, ${size.height}x${size.width} (--image-size chooses another).`,
    )
  }
  return size
}

async function naming<Value>(file: string, read: () => Promise<Value>): Promise<Value> {
  try {
    return await read()
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/\s+/g, ' ').trim() : String(cause)
    throw invalidData(
      `The image ${file} cannot be read (${why.replace(/\.$/, '')}): repair or remove it.`,
      cause,
    )
  }
}

async function inBatches<Item, Value>(
  items: readonly Item[],
  reading: { done: number; readonly of: number },
  { signal, onRead }: ReadOptions,
  work: (item: Item, index: number) => Promise<Value>,
): Promise<Value[]> {
  const values: Value[] = []
  for (let from = 0; from < items.length; from += BATCH) {
    const batch = items.slice(from, from + BATCH)
    values.push(...(await Promise.all(batch.map((item, i) => work(item, from + i)))))
    reading.done += batch.length
    onRead?.(reading.done / reading.of)
    await setImmediate()
    signal?.throwIfAborted()
  }
  return values
}

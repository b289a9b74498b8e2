import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CIFAR10 } from '../../../../shared/data/cifar10.ts'
import { writeCachedImages } from '../../../../shared/data/cached-images.ts'
import type { DatasetSpec } from '../../../../shared/data/dataset-spec.ts'
import { DATASETS, findDataset, loadDataset } from '../../../../shared/data/datasets.ts'
import { FASHION_MNIST } from '../../../../shared/data/fashion-mnist.ts'
import type { ImagePackage } from '../../../../shared/data/image-package.ts'
import { allocateImages } from '../../../../shared/data/packed-images.ts'
import { fakeStream } from '../../../support/fake-stream.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts'

let cache: TemporaryFolder
beforeEach(async () => {
  cache = await createTemporaryFolder()
  vi.stubEnv('GRAFT_CACHE', cache.path)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await cache[Symbol.asyncDispose]()
})

describe('findDataset', () => {
  it('should name what there is when asked for something else', () => {
    expect(() => findDataset('imagenet')).toThrow(
      /"imagenet"; there is mnist, fashion-mnist, cifar10\..*UNKNOWN/,
    )
    expect(() => findDataset('toString')).toThrow(/GRAFT_DATASET_UNKNOWN/)
  })
})

describe('loadDataset', () => {
  it('should load what the registry describes', async () => {
    // A few images of the true form in the cache: no test needs the network.
    for (const images of [FASHION_MNIST, CIFAR10]) await keepFewImages(images)
    const screen = fakeStream()
    for (const [name, spec] of Object.entries<DatasetSpec>(DATASETS)) {
      const { train, test, name: loaded } = await loadDataset(name, { screen })
      expect(loaded).toBe(name)
      for (const set of [train, test]) {
        expect(set.numClasses).toBe(spec.numClasses)
        expect(set.inputShape).toEqual(spec.inputShape)
        const inputSize = spec.inputShape.reduce((product, dim) => product * dim, 1)
        expect(set.inputs([0, 1])).toHaveLength(2 * inputSize)
      }
    }
    expect(screen.take()).toBe('')
  })

  it('should end when told to, before it fetches anything', async () => {
    const signal = AbortSignal.abort(new Error('Ctrl-C'))
    await expect(loadDataset('cifar10', { signal })).rejects.toThrow('Ctrl-C')
  })
})

describe('DATASETS', () => {
  it('should know what is here without a network', async () => {
    await keepFewImages(CIFAR10)
    const here = Object.entries<DatasetSpec>(DATASETS).map(async ([name, spec]) => [
      name,
      await spec.isHere(),
    ])
    expect(await Promise.all(here)).toEqual([
      ['mnist', true],
      ['fashion-mnist', false],
      ['cifar10', true],
    ])
  })

  it('should have a mean and a deviation for each channel', () => {
    for (const { mean, std, inputShape } of [FASHION_MNIST, CIFAR10]) {
      expect([mean.length, std.length]).toEqual([inputShape[2], inputShape[2]])
    }
  })
})

// Helpers

async function keepFewImages(images: ImagePackage): Promise<void> {
  const imageBytes = images.inputShape.reduce((product, dim) => product * dim, 1)
  const packed = allocateImages({ train: 2, test: 2, imageBytes })
  const { name, package: pinned, packing } = images
  await writeCachedImages(`${name}-${pinned.version}-p${packing}`, packed)
}

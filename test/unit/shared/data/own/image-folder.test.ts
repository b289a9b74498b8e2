import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readImageFolder } from '../../../../../shared/data/own/image-folder.ts'
import { plainPng, writeFiles } from '../../../../support/data-files.ts'
import { encodeImage } from '../../../../support/image-file.ts'
import {
  createTemporaryFolder,
  type TemporaryFolder,
} from '../../../../support/temporary-folder.ts'

let folder: TemporaryFolder
beforeEach(async () => {
  folder = await createTemporaryFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

describe('readImageFolder', () => {
  it('should take each sub-folder for a class, in the order of their numbers', async () => {
    await write({
      '10/a.png': await plainPng(2, 3, [7]),
      '9/b.png': await plainPng(2, 3, [200]),
      '9/.DS_Store': 'not for us',
    })
    const data = await readImageFolder(folder.path)
    expect(data).toMatchObject({ inputShape: [2, 3, 1], classNames: ['9', '10'], numClasses: 2 })
    // Files go by name, so 10 lies before 9.
    expect([...data.train.labels]).toEqual([1, 0])
    expect([...data.train.values]).toEqual([
      ...Array<number>(6).fill(7),
      ...Array<number>(6).fill(200),
    ])
    expect(data).toMatchObject({ test: null, notes: [] })
  })

  it('should keep the order of pixels and channels', async () => {
    const pixels = Uint8Array.from({ length: 2 * 3 * 3 }, (_, i) => 10 * i)
    const png = await encodeImage('png', { height: 2, width: 3, channels: 3, pixels })
    await write({ 'a/x.png': png, 'b/x.PNG': png })
    const { train, inputShape } = await readImageFolder(folder.path)
    expect(inputShape).toEqual([2, 3, 3])
    expect([...train.values.subarray(0, 18)]).toEqual([...pixels])
  })

  it('should read JPEG, and grey images beside colour as RGB, and say so', async () => {
    const jpeg = await encodeImage('jpeg', {
      height: 8,
      width: 8,
      channels: 3,
      pixels: new Uint8Array(192).fill(99),
    })
    await write({ 'a/x.jpg': jpeg, 'b/x.png': await plainPng(8, 8, [99]) })
    const { train, inputShape, notes } = await readImageFolder(folder.path)
    expect(inputShape).toEqual([8, 8, 3])
    for (const value of train.values) expect(Math.abs(value - 99)).toBeLessThanOrEqual(2)
    expect(notes).toEqual([expect.stringMatching(/1 of 2 images are grey/)])
  })

  it('should resize to the most frequent size and say so, or to the one told', async () => {
    await write({
      'a/1.png': await plainPng(4, 4, [5, 6, 7]),
      'a/2.png': await plainPng(4, 4, [5, 6, 7]),
      'b/1.png': await plainPng(9, 2, [5, 6, 7]),
    })
    const { inputShape, notes, train } = await readImageFolder(folder.path)
    expect(inputShape).toEqual([4, 4, 3])
    expect(notes).toEqual([expect.stringMatching(/2 sizes: 1 of 3 were resized .* 4x4/)])
    expect([...train.values.subarray(96, 99)]).toEqual([5, 6, 7])
    const told = { imageSize: { height: 3, width: 5 }, channels: 1 } as const
    expect(await readImageFolder(folder.path, told)).toMatchObject({
      inputShape: [3, 5, 1],
      notes: [],
    })
  })

  it('should take train and test for the splits, unless train is a class', async () => {
    await write({
      'train/a/1.png': await plainPng(1, 1, [1]),
      'train/b/1.png': await plainPng(1, 1, [2]),
      'test/b/1.png': await plainPng(1, 1, [3]),
    })
    const data = await readImageFolder(folder.path)
    expect([...data.train.labels, ...data.test!.labels]).toEqual([0, 1, 1])
    expect([...data.test!.values]).toEqual([3])
    await write({
      'vehicles/train/1.png': await plainPng(1, 1, [1]),
      'vehicles/bus/1.png': await plainPng(1, 1, [1]),
    })
    const vehicles = await readImageFolder(join(folder.path, 'vehicles'))
    expect(vehicles).toMatchObject({ classNames: ['bus', 'train'], test: null })
  })

  it('should refuse what it cannot take for classes of images, name it and say what to do', async () => {
    const png = await plainPng(4, 4, [1])
    const refuses = async (files: Record<string, string | Uint8Array>, message: RegExp) => {
      await using place = await createTemporaryFolder()
      await writeFiles(place.path, files)
      await expect(readImageFolder(place.path)).rejects.toMatchObject({
        code: 'GRAFT_DATA_INVALID',
        message: expect.stringMatching(message),
      })
    }
    await refuses(
      { 'a/x.png': png, 'b/notes.txt': '' },
      /class folder .*b has no images: put PNG or JPEG/,
    )
    await refuses(
      { 'a/x.png': png, 'b/x.png': png.subarray(0, 60) },
      /The image .*b.x\.png cannot be read/,
    )
    await refuses({ 'a/x.png': png, 'b/x.jpg': 'no image' }, /The image .*b.x\.jpg cannot be read/)
    await refuses({ 'a/x.png': png, 'y.png': png }, /y\.png lies in no class/)
    await refuses({ 'train/a/x.png': png }, /no such folder test/)
    const splits = { 'train/a/x.png': png, 'train/b/x.png': png }
    await refuses({ ...splits, 'test/c/x.png': png }, /of class c, which has no folder in .*train/)
  })

  it('should stop when it is told to', async () => {
    await write({ 'a/x.png': await plainPng(4, 4, [1]) })
    const signal = AbortSignal.abort(new Error('Ctrl-C'))
    await expect(readImageFolder(folder.path, { signal })).rejects.toThrow('Ctrl-C')
  })
})

// Helpers

const write = (files: Record<string, string | Uint8Array>) => writeFiles(folder.path, files)

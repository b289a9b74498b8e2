import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readArrays } from '../../../../../shared/data/own/arrays.ts'
import { npyBytes, npzBytes, writeFiles } from '../../../../support/data-files.ts'
import {
  createTemporaryFolder,
  type TemporaryFolder,
} from '../../../../support/temporary-folder.ts'

let folder: TemporaryFolder
beforeEach(async () => {
  folder = await createTemporaryFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

const X = npyBytes('<f4', [2, 3], Float32Array.from([1, 2, 3, 4, 5, -6.5]))
const Y = npyBytes('<i8', [2], BigInt64Array.from([0n, 1n]))

describe('readArrays', () => {
  it('should read x and y of a .npz file', async () => {
    const data = await readNpz({ x: X, y: Y })
    expect(data).toMatchObject({ inputShape: [3], numClasses: 2, classNames: null, test: null })
    expect([...data.train.values]).toEqual([1, 2, 3, 4, 5, -6.5])
    expect([...data.train.labels]).toEqual([0, 1])
  })

  it('should read .npy files that lie together, by the path of one or of the folder', async () => {
    await writeFiles(folder.path, { 'x.npy': X, 'y.npy': Y })
    for (const path of [folder.path, join(folder.path, 'x.npy')]) {
      expect([...(await readArrays(path)).train.labels]).toEqual([0, 1])
    }
  })

  it('should take the two splits where they are told apart, and arrays that are named', async () => {
    const test = npyBytes('<f8', [1, 3], Float64Array.from([7, 8, 9]))
    const testY = npyBytes('|u1', [1, 1], Uint8Array.from([1]))
    const parts = await readNpz({ x_train: X, y_train: Y, x_test: test, y_test: testY })
    expect([[...parts.test!.values], [...parts.test!.labels]]).toEqual([[7, 8, 9], [1]])
    const medical = { train_images: X, train_labels: Y, test_images: test, test_labels: testY }
    expect((await readNpz(medical)).test!.labels).toHaveLength(1)
    const named = await readNpz({ foo: X, bar: Y }, ['foo', 'bar'])
    expect(named.train.labels).toHaveLength(2)
  })

  it('should take bytes of images for pixels, and give grey ones their channel', async () => {
    const bytes = Uint8Array.from({ length: 8 }, (_, i) => 30 * i)
    const { train, inputShape } = await readNpz({ x: npyBytes('|u1', [2, 2, 2], bytes), y: Y })
    expect(inputShape).toEqual([2, 2, 1])
    expect(train.values).toEqual(bytes)
    const flat = await readNpz({ x: npyBytes('|u1', [2, 4], bytes), y: Y })
    expect(flat.train.values).toBeInstanceOf(Float32Array)
  })

  it('should read numbers of either byte order', async () => {
    const big = new DataView(new ArrayBuffer(4))
    big.setInt16(0, 258)
    big.setInt16(2, -3)
    const data = await readNpz({ x: npyBytes('>i2', [2, 1], big), y: Y })
    expect([...data.train.values]).toEqual([258, -3])
  })

  it('should warn of channels first and of classes without examples', async () => {
    const x = npyBytes('|u1', [2, 3, 8, 8], new Uint8Array(2 * 3 * 64))
    const y = npyBytes('<i4', [2], Int32Array.from([0, 5]))
    const { notes } = await readNpz({ x, y })
    expect(notes.join(' ')).toMatch(
      /look like channels first.*6 classes; 4 of them have no training example/,
    )
  })

  it.each<[string, Record<string, Uint8Array>, RegExp]>([
    ['no y', { x: X }, /has the arrays x, and no y\. Call them x and y/],
    ['other names', { a: X, b: Y }, /has the arrays a, b, and no x and y.*--arrays INPUTS,LABELS/],
    ['a test part without y', { x_train: X, y_train: Y, x_test: X }, /no y_test/],
    [
      'NaN',
      { x: npyBytes('<f4', [2, 1], Float32Array.from([0, NaN])), y: Y },
      /x of .* has NaN in example 1/,
    ],
    [
      'float labels',
      { x: X, y: npyBytes('<f4', [2], Float32Array.from([0, 0.5])) },
      /Label 0\.5 of example 1 .*whole numbers from 0/,
    ],
    [
      'negative labels',
      { x: X, y: npyBytes('<i4', [2], Int32Array.from([0, -1])) },
      /Label -1 of example 1/,
    ],
    [
      'many classes',
      { x: X, y: npyBytes('<i4', [2], Int32Array.from([0, 1000])) },
      /Label 1000 .*1000 classes are the most/,
    ],
    ['one-hot labels', { x: X, y: npyBytes('<f4', [2, 2], new Float32Array(4)) }, /argmax/],
    [
      'fewer labels',
      { x: X, y: npyBytes('<i4', [1], Int32Array.from([0])) },
      /2 examples, and .* 1 labels/,
    ],
    ['text', { x: npyBytes('<U5', [2], new Uint8Array(40)), y: Y }, /type <U5.*astype/],
    [
      'columns first',
      { x: npyBytes('<f4', [2, 3], new Float32Array(6), 'True'), y: Y },
      /ascontiguousarray/,
    ],
    ['one axis', { x: Y, y: Y }, /has shape \[2\]; inputs are/],
    ['a cut array', { x: X.subarray(0, -4), y: Y }, /20 bytes of numbers, its header says 24/],
    ['no array', { x: Buffer.from('not NumPy at all'), y: Y }, /no \.npy array/],
  ])('should refuse %s', async (_, arrays, message) => {
    await expect(readNpz(arrays)).rejects.toMatchObject({
      code: 'GRAFT_DATA_INVALID',
      message: expect.stringMatching(message),
    })
  })

  it('should refuse what is no zip file', async () => {
    await writeFiles(folder.path, { 'data.npz': 'no zip' })
    await expect(readArrays(join(folder.path, 'data.npz'))).rejects.toThrow(/is no \.npz file/)
  })
})

// Helpers

async function readNpz(arrays: Record<string, Uint8Array>, names?: readonly [string, string]) {
  await writeFiles(folder.path, { 'data.npz': npzBytes(arrays) })
  return readArrays(join(folder.path, 'data.npz'), { arrays: names })
}

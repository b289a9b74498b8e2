import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadOwnData, type OwnDataOptions } from '../../../../../shared/data/own/own-data.ts'
import { readPath } from '../../../../../shared/data/own/read-path.ts'
import { countClasses } from '../../../../../shared/data/subset.ts'
import { RunData } from '../../../../../shared/protocol/run-data.ts'
import { npyBytes, npzBytes, plainPng, writeFiles } from '../../../../support/data-files.ts'
import {
  createTemporaryFolder,
  type TemporaryFolder,
} from '../../../../support/temporary-folder.ts'

let folder: TemporaryFolder
beforeEach(async () => {
  folder = await createTemporaryFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

const table = (rows: number, cell: (i: number) => string) =>
  `x,c,y\n${Array.from({ length: rows }, (_, i) => cell(i)).join('\n')}\n`

/** 20 rows of class a, 10 of class b; x is 0 to 29. */
const TABLE = table(30, (i) => `${i},${i % 2 === 0 ? 'even' : 'odd'},${i < 20 ? 'a' : 'b'}`)

describe('loadOwnData', () => {
  it('should hold out a fifth of each class, the same for a seed, and say so', async () => {
    const { train, test, notes } = await load('t.csv', TABLE)
    expect([countClasses(train), countClasses(test)]).toEqual([
      [16, 8],
      [4, 2],
    ])
    expect(notes.join(' ')).toMatch(/no test part: 6 of 30 examples, a fifth of each class/)
    const inputsOf = async (seed: number) => {
      const again = await load('t.csv', TABLE, { seed })
      return [...again.test.inputs([...again.test.labels.keys()])].join()
    }
    expect(await inputsOf(7)).toBe(await inputsOf(7))
    expect(await inputsOf(8)).not.toBe(await inputsOf(7))
  })

  it('should scale by the training part alone, and leave categories as they are', async () => {
    await writeFiles(folder.path, {
      'data/train.csv': 'x,c,y\n1,u,a\n3,v,b\n',
      'data/test.csv': 'x,c,y\n101,v,a\n',
    })
    const { train, test, normalisation } = await loadOwnData(join(folder.path, 'data'), { seed: 7 })
    expect(normalisation).toEqual({ mean: [2, 0, 0], std: [1, 1, 1] })
    expect([...train.inputs([0, 1])]).toEqual([-1, 1, 0, 1, 0, 1])
    expect([...test.inputs([0])]).toEqual([99, 0, 1])
  })

  it('should count bytes as shares of 255, by channel, and survive a constant one', async () => {
    await writeFiles(folder.path, {
      'train/a/1.png': await plainPng(2, 2, [0, 51, 9]),
      'train/b/1.png': await plainPng(2, 2, [255, 51, 99]),
      'test/a/1.png': await plainPng(2, 2, [255, 102, 9]),
    })
    const { train, test, normalisation, notes } = await loadOwnData(folder.path, { seed: 7 })
    expect(normalisation.mean[0]).toBeCloseTo(0.5, 12)
    expect(normalisation.std[0]).toBeCloseTo(0.5, 12)
    expect([normalisation.mean[1], normalisation.std[1]]).toEqual([expect.closeTo(0.2, 12), 1])
    expect([...train.inputs([0]).subarray(0, 2)]).toEqual([-1, expect.closeTo(0, 6)])
    expect([...test.inputs([0]).subarray(0, 2)]).toEqual([1, expect.closeTo(0.2, 6)])
    expect(notes.join(' ')).toMatch(/never vary teach nothing: number 1/)
    expect(notes.join(' ')).toMatch(/test part has no example of b/)
  })

  it('should announce what others must bring, without the way to the files', async () => {
    const { runData, name } = await load('patients.csv', TABLE)
    expect(name).toBe('patients')
    expect(RunData.parse(runData)).toEqual(runData)
    expect(runData).toMatchObject({
      inputShape: [3],
      classNames: ['a', 'b'],
      columns: [{ name: 'x' }, { name: 'c', categories: ['even', 'odd'] }],
    })
    expect(JSON.stringify(runData)).not.toContain(folder.path)
    const changed = await load('other.csv', TABLE.replace('29,odd', '30,odd'))
    expect(changed.runData.sha256).not.toBe(runData.sha256)
    expect((await load('again.csv', TABLE, { seed: 9 })).runData.sha256).toBe(runData.sha256)
  })

  it('should map classes by name, and scale by the run or by its own statistics', async () => {
    const { runData } = await load('run.csv', TABLE)
    // Class b alone, whose number here is 0 and in the run 1; the columns in another order.
    const rows = Array.from({ length: 10 }, (_, i) => `odd,${100 + i},b`).join('\n')
    const mine = `c,x,y\n${rows}\n`
    const shared = await load('mine.csv', mine, { run: runData })
    expect(new Set(shared.train.labels)).toEqual(new Set([1]))
    expect(shared.train.numClasses).toBe(2)
    expect(shared.normalisation).toEqual(runData.normalisation)
    const own = await load('mine.csv', mine, { run: runData, normalize: 'own' })
    expect(own.normalisation.mean[0]).toBeGreaterThan(99)
    expect(own.normalisation.mean.slice(1)).toEqual([0, 0])
    const first = (inputs: Float32Array) => inputs[0]!
    expect(first(shared.train.inputs([0]))).toBeGreaterThan(5)
    expect(Math.abs(first(own.train.inputs([0])))).toBeLessThan(2)
  })

  it('should refuse data that do not fit the run, saying how to read images so', async () => {
    await writeFiles(folder.path, {
      'a/1.png': await plainPng(4, 4, [1]),
      'a/2.png': await plainPng(4, 4, [9]),
    })
    const runOf = (inputShape: number[], classNames: string[]) => ({
      inputShape,
      numClasses: classNames.length,
      classNames,
      normalisation: { mean: [0], std: [1] },
    })
    const refuses = (run: OwnDataOptions['run'] & object, message: RegExp) =>
      expect(loadOwnData(folder.path, { seed: 7, run })).rejects.toMatchObject({
        code: 'GRAFT_DATA_MISMATCH',
        message: expect.stringMatching(message),
      })
    await refuses(
      runOf([8, 8, 1], ['a', 'b']),
      /\[4, 4, 1\], and the run reads \[8, 8, 1\]\. Give --image-size 8x8 --channels 1/,
    )
    await refuses(
      runOf([4, 4, 1], ['b', 'c']),
      /classes a, which the run does not have; it has b, c/,
    )
    const fits = { imageSize: { height: 8, width: 8 }, run: runOf([8, 8, 1], ['b', 'a']) }
    expect((await loadOwnData(folder.path, { seed: 7, ...fits })).train.labels).toEqual(
      Int32Array.of(1),
    )
  })

  it('should count classes by number where a side has no names', async () => {
    const y = npyBytes('<i4', [4], Int32Array.from([0, 3, 3, 0]))
    const x = npyBytes('<f4', [4, 1], Float32Array.from([1, 2, 3, 4]))
    await writeFiles(folder.path, { 'd.npz': npzBytes({ x, y }) })
    const path = join(folder.path, 'd.npz')
    const run = { inputShape: [1], normalisation: { mean: [0], std: [1] }, numClasses: 10 }
    expect((await loadOwnData(path, { seed: 7, run })).train.numClasses).toBe(10)
    await expect(loadOwnData(path, { seed: 7, run: { ...run, numClasses: 3 } })).rejects.toThrow(
      /has 4 classes, and the run tells 3 apart/,
    )
  })

  it('should refuse to make a run of one class, or of single examples', async () => {
    await expect(load('one.csv', 'x,y\n1,a\n2,a\n')).rejects.toThrow(/has one class, a: /)
    await expect(load('two.csv', 'x,y\n1,a\n2,b\n')).rejects.toThrow(/No class has two examples/)
  })
})

describe('readPath', () => {
  it('should say that nothing is there, that a folder is empty, and what it reads', async () => {
    await expect(readPath(join(folder.path, 'gone'))).rejects.toMatchObject({
      code: 'GRAFT_FILE_UNREADABLE',
      message: expect.stringContaining('gone'),
    })
    await expect(readPath(folder.path)).rejects.toThrow(
      /is empty\. Graft reads a folder with one sub-folder/,
    )
    await writeFiles(folder.path, { 'notes.txt': 'text' })
    for (const path of [folder.path, join(folder.path, 'notes.txt')]) {
      await expect(readPath(path)).rejects.toThrow(/no data that Graft reads\. It reads .*\.npz/)
    }
  })

  it('should refuse an option that is for other data', async () => {
    await writeFiles(folder.path, { 't.csv': TABLE })
    await expect(readPath(join(folder.path, 't.csv'), { channels: 1 })).rejects.toMatchObject({
      code: 'GRAFT_OPTION_INVALID',
      message: expect.stringMatching(/--channels is for folders of images, and .*t\.csv is tables/),
    })
  })
})

// Helpers

async function load(name: string, text: string, options: Partial<OwnDataOptions> = {}) {
  await writeFiles(folder.path, { [name]: text })
  return loadOwnData(join(folder.path, name), { seed: 7, ...options })
}

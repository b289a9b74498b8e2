import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { areCategories, readCsv } from '../../../../../shared/data/own/csv.ts'
import { writeFiles } from '../../../../support/data-files.ts'
import {
  createTemporaryFolder,
  type TemporaryFolder,
} from '../../../../support/temporary-folder.ts'

let folder: TemporaryFolder
beforeEach(async () => {
  folder = await createTemporaryFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

const TABLE = 'age,colour,kind\n1.5,red,cat\n-2,"blue",dog\n\n3e2,red,cat\n'

describe('readCsv', () => {
  it('should take the last column for labels, numbers as they are, other columns one-hot', async () => {
    const data = await read(TABLE)
    expect(data).toMatchObject({
      inputShape: [3],
      classNames: ['cat', 'dog'],
      columns: [
        { name: 'age', categories: null },
        { name: 'colour', categories: ['blue', 'red'] },
      ],
    })
    expect([...data.train.values]).toEqual([1.5, 0, 1, -2, 1, 0, 300, 0, 1])
    expect([...data.train.labels]).toEqual([0, 1, 0])
    expect(data.notes.join(' ')).toMatch(/categories.*colour \(2\).*label is column "kind"/)
    expect(areCategories(data.columns!)).toEqual([false, true, true])
  })

  it('should take the label column that is told, and other delimiters', async () => {
    const data = await read('\uFEFFy;a\n10;0,5\n9;1,5\n'.replaceAll(',', '.'), { label: 'y' })
    expect(data).toMatchObject({ classNames: ['9', '10'], inputShape: [1] })
    expect([...data.train.labels]).toEqual([1, 0])
    expect(data.notes).toEqual([])
    expect((await read('a\tb\n1\tx\n2\ty\n')).classNames).toEqual(['x', 'y'])
  })

  it('should take train.csv and test.csv of a folder, with one list of categories', async () => {
    await writeFiles(folder.path, { 'train.csv': 'c,y\nu,0\nw,1\n', 'test.csv': 'c,y\nv,1\n' })
    const data = await readCsv(folder.path)
    expect(data.columns).toEqual([{ name: 'c', categories: ['u', 'v', 'w'] }])
    expect([...data.test!.values]).toEqual([0, 1, 0])
    expect([...data.test!.labels]).toEqual([1])
  })

  it.each([
    [
      'a,y\n1,0\n,1\n',
      /Line 3 of .*table\.csv has no value in column "a": fill it in, or remove the row/,
    ],
    ['a,y\n1,0\nNaN,1\n', /Line 3 .* no value in column "a" \("NaN"\)/],
    ['a,y\n1,0\n2,\n', /Line 3 .* no value in column "y"/],
    ['a,y\n1,0\n2,1\n3,1\ninf,0\n', /Line 5 .*column "a": "inf" is not a finite number/],
    ['a,y\n1,0\n2,1.5\n', /Line 3 .*column "y": the label 1\.5 is no whole number/],
    ['a,y\n1,0\n2,-1\n', /Line 3 .*the label -1 is no whole number/],
    ['a,y\n1,0\n2\n', /is no table: .*line 3.*as many cells as the first/],
    ['1,2\n3,4\n', /begins with numbers .*add a header/],
    ['a,a,y\n1,2,0\n', /two columns "a"/],
    ['a,,y\n1,2,0\n', /a column without a name/],
    ['a,y\n', /has a header and no rows/],
    ['', /is empty/],
    ['y\n0\n1\n', /has labels only/],
  ])('should refuse %j and say where and why', async (text, message) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'GRAFT_DATA_INVALID',
      message: expect.stringMatching(message),
    })
  })

  it('should refuse a label column that is not there, naming those that are', async () => {
    await expect(read(TABLE, { label: 'species' })).rejects.toThrow(
      /no column "species" .*--label takes one of age, colour, kind/,
    )
  })

  it('should refuse too many classes and categories', async () => {
    const rows = (cell: (i: number) => string) =>
      Array.from({ length: 1200 }, (_, i) => cell(i)).join('\n')
    await expect(read(`a,y\n${rows((i) => `1,name${i}`)}\n`)).rejects.toThrow(
      /1200 classes .*1000 are the most/,
    )
    await expect(read(`a,y\n${rows((i) => `1,${i % 700}`)}\n`)).rejects.toThrow(
      /700 classes in 1200 rows: are these labels/,
    )
    await expect(read(`a,y\n${rows((i) => `name${i},${i % 2}`)}\n`)).rejects.toThrow(
      /Column "a" .*1200 different words/,
    )
  })

  it('should read a table by the columns of another, in any order', async () => {
    const { columns } = await read(TABLE)
    const again = await read('colour,age,kind\nblue,4,cat\n', { columns: columns! })
    expect([...again.train.values]).toEqual([4, 1, 0])
    for (const [text, message] of [
      ['colour,kind\nred,cat\n', /no column "age", which the run has/],
      [
        'age,colour,height,kind\n1,red,2,cat\n',
        /a column "height", which the run has not: remove it/,
      ],
      ['age,colour,kind\n1,green,cat\n', /Line 2 .*column "colour": "green" is none of blue, red/],
      ['age,colour,kind\nold,red,cat\n', /Line 2 .*column "age": "old" is not a finite number/],
    ] as const) {
      await expect(read(text, { columns: columns! })).rejects.toMatchObject({
        code: 'GRAFT_DATA_MISMATCH',
        message: expect.stringMatching(message),
      })
    }
  })
})

// Helpers

async function read(text: string, options: Parameters<typeof readCsv>[1] = {}) {
  await writeFiles(folder.path, { 'table.csv': text })
  return readCsv(join(folder.path, 'table.csv'), options)
}

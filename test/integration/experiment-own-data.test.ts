import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { federationParts } from '../../server/experiments/federation/federation-parts.ts'
import { findGridData } from '../../server/experiments/grid-data.ts'
import { planPreset } from '../../server/experiments/plan-preset.ts'
import { HETERO_WIDTHS } from '../../server/experiments/presets/hetero-widths.ts'
import { NT_CNN } from '../../server/experiments/presets/nt-cnn.ts'
import { ROUNDS } from '../../server/experiments/presets/rounds.ts'
import { runExperiment } from '../../server/experiments/run-preset.ts'
import { ExperimentReport } from '../../shared/protocol/experiment-report.ts'
import { plainPng, writeFiles } from '../support/data-files.ts'
import { startTestEngine } from '../support/engine.ts'
import { installFakeGraft } from '../support/fake-graft.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

beforeAll(async () => {
  await startTestEngine()
})

const GIVEN = { isQuick: true, seeds: [1], methods: ['nt'], engine: 'any' }
const quiet = () => undefined

describe('an experiment on data of the user’s own', () => {
  it('should run on a table and on images, under their names, without a word on claims', async () => {
    await using folder = await createTemporaryFolder()
    const datasets = await writeData(folder.path)
    const find = await open(datasets)
    const plan = planPreset(HETERO_WIDTHS, { ...GIVEN, datasets, find })
    const report = await runExperiment(plan, join(folder.path, 'home'), quiet)
    expect(ExperimentReport.parse(report)).toEqual(report)
    expect(report.cases.map(({ row }) => row['dataset'])).toEqual(['patients', 'shades'])
    for (const { results } of report.cases) {
      const nt = results.find(({ method }) => method === 'nt')!
      expect(nt.values['right after fusion']).toBeGreaterThanOrEqual(0)
    }
    expect(report.subsets).toEqual([
      expect.stringContaining('patients (data of your own, 96 training examples): '),
      expect.stringContaining('shades (data of your own, 96 training examples): '),
    ])
    expect(report.subsets[0]).toContain(', 24 proxy images, ')
    for (const { outcome, why, findings } of report.claims) {
      expect(outcome).toBe('not tested')
      expect(why).toBe('it is about other data sets than patients, shades')
      expect(findings).toEqual([])
    }
  })

  it('should not go on in a folder with the results of other data of that name', async () => {
    await using folder = await createTemporaryFolder()
    const home = join(folder.path, 'home')
    const [table] = await writeData(folder.path)
    const planned = async () => {
      const plan = planPreset(HETERO_WIDTHS, {
        ...{ ...GIVEN, datasets: [table!] },
        find: await open([table!]),
      })
      return { ...plan, parts: [] }
    }
    await runExperiment(await planned(), home, quiet)
    await expect(runExperiment(await planned(), home, quiet)).resolves.toBeDefined()
    await writeFiles(folder.path, { 'patients.csv': `${tableOf(120)}70,yes,flu\n` })
    await expect(runExperiment(await planned(), home, quiet)).rejects.toThrow(/another ownData/)
  })

  it('should hand the path to graft simulate, without a target that was set for other data', async () => {
    await using graft = await installFakeGraft({})
    await using folder = await createTemporaryFolder()
    const [table] = await writeData(folder.path)
    const find = await open([table!], { label: 'illness' })
    const grid = { ...ROUNDS.quick, datasets: ['patients'], partitions: ['iid'], methods: ['nt'] }
    const [part] = federationParts(grid, 'wasm', () => find(table!))
    // The stand-in writes no report.
    await expect(part!.run(undefined, folder.path)).rejects.toThrow(/ENOENT/)
    const words = (await graft.starts())[0]!.words.join(' ')
    expect(words).toContain(`simulate --data ${table!} --label illness --partition iid `)
    expect(words).toContain(' --model mlp:3-128-3 ')
    expect(words).toContain(' --proxy 24 ')
    expect(words).not.toContain('--target')
    expect(words).not.toContain('--dataset')
  })

  it.each([
    [['patients.csv', 'copy/patients.csv'], {}, /call two data sets patients/],
    [['mnist.csv'], {}, /call two data sets mnist/],
    [['missing.csv'], {}, /There is nothing to read at .*missing\.csv/],
    [['patients.csv'], { channels: 1 as const }, /--channels is for folders of images/],
    [[], { label: 'illness' }, /--label .* give --dataset PATH too/],
  ])('should refuse %j with %o before anything is trained', async (names, reading, said) => {
    await using folder = await createTemporaryFolder()
    const table = tableOf(120)
    await writeFiles(folder.path, {
      ...{ 'patients.csv': table, 'copy/patients.csv': table, 'mnist.csv': table },
    })
    const given = names.map((name) => join(folder.path, name))
    await expect(open(given, reading)).rejects.toThrow(said)
  })

  it('should refuse a network that cannot read the data, and a name that is neither', async () => {
    await using folder = await createTemporaryFolder()
    const [table] = await writeData(folder.path)
    const find = await open([table!])
    expect(() => planPreset(NT_CNN, { ...GIVEN, datasets: [table!], find })).toThrow(
      expect.objectContaining({ code: 'GRAFT_ARCHITECTURE_INVALID' }),
    )
    expect(() => planPreset(HETERO_WIDTHS, { ...GIVEN, datasets: ['mnits'], find })).toThrow(
      expect.objectContaining({ code: 'GRAFT_DATASET_UNKNOWN' }),
    )
  })
})

// Helpers

const open = (given: readonly string[], reading: { label?: string; channels?: 1 | 3 } = {}) =>
  findGridData({ given, reading, onRead: quiet })

/** Three kinds of patients, 40 each, and as many images of three shades. @returns the paths of both */
async function writeData(folder: string): Promise<string[]> {
  await writeFiles(folder, { 'patients.csv': tableOf(120) })
  for (const [name, grey] of [
    ['dark', 40],
    ['middle', 120],
    ['light', 210],
  ] as const) {
    for (let i = 0; i < 40; i++) {
      await writeFiles(folder, { [`shades/${name}/${i}.png`]: await plainPng(4, 4, [grey + i]) })
    }
  }
  return [join(folder, 'patients.csv'), join(folder, 'shades')]
}

const ILLNESSES = ['none', 'cold', 'flu']

function tableOf(rows: number): string {
  const lines = Array.from({ length: rows }, (_, i) => {
    const kind = i % 3
    return `${20 + 20 * kind + (i % 7)},${(i * 5) % 4 < kind ? 'yes' : 'no'},${ILLNESSES[kind]!}`
  })
  return `age,cough,illness\n${lines.join('\n')}\n`
}

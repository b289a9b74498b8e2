import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { FusionTableSettings } from '../../../../../server/experiments/fusion-table/fusion-case.ts'
import { runCases } from '../../../../../server/experiments/fusion-table/run-cases.ts'
import type { FusionTableReport } from '../../../../../shared/protocol/fusion-table-report.ts'
import { installFakeGraft } from '../../../../support/fake-graft.ts'
import { createTemporaryFolder } from '../../../../support/temporary-folder.ts'

const SETTINGS: FusionTableSettings = {
  ...{ datasets: ['mnist', 'cifar10'], parents: [2, 4], seeds: [1, 2] },
  ...{
    model: 'mlp:784-256-10',
    partition: 'dirichlet-ordered',
    epochs: 3,
    methods: ['nt', 'auto'],
  },
  ...{ zeroShotImages: 100, tunedImages: 200, tuneEpochs: 5, judgeOn: 'unused' },
}

describe('runCases', () => {
  it('should give the reports of finished cases, in their order, without a process', async () => {
    await using graft = await installFakeGraft({})
    await using home = await createTemporaryFolder()
    await writeAll(home.path)
    const { reports, said } = await run(home.path)
    expect(reports.map(({ cases }) => nameOf(cases[0]!))).toEqual([
      ...['mnist-2-1', 'mnist-2-2', 'mnist-4-1', 'mnist-4-2'],
      ...['cifar10-2-1', 'cifar10-2-2', 'cifar10-4-1', 'cifar10-4-2'],
    ])
    // Cases that are read beside each other are told of as they come.
    expect(said).toContainEqual(
      expect.stringContaining('cifar10, 4 parents, seed 2: was done before'),
    )
    expect(said.at(-1)).toMatch(/: was done before; 8 of 8 runs$/)
    expect(await graft.starts()).toEqual([])
  })

  it('should measure what is not there, or was cut off, as a user would', async () => {
    await using graft = await installFakeGraft({})
    await using home = await createTemporaryFolder()
    await writeAll(home.path)
    const file = join(home.path, 'cifar10-4-1.json')
    await writeFile(file, '{ "version":')
    // The process that is started here writes nothing.
    await expect(run(home.path)).rejects.toThrow()
    const [only, ...others] = (await graft.starts()).map(({ words }) => words.join(' '))
    expect(only).toBe(
      'experiment fusion-table --dataset cifar10 --parents 4 --seeds 1 --methods nt,auto --model mlp:784-256-10 ' +
        '--partition dirichlet-ordered --epochs 3 --zero-shot-images 100 --tuned-images 200 --tune-epochs 5 ' +
        `--judge-on unused --engine wasm --json ${file}`,
    )
    expect(others).toEqual([])
  })

  it('should end with the status of a case that fails, and begin no more', async () => {
    await using graft = await installFakeGraft({ experiment: 'exit 4' })
    await using home = await createTemporaryFolder()
    await expect(run(home.path)).rejects.toMatchObject({ exitStatus: 4 })
    expect((await graft.starts()).length).toBeLessThanOrEqual(2)
  })

  it('should refuse a folder of another table', async () => {
    await using home = await createTemporaryFolder()
    await writeAll(home.path)
    await run(home.path)
    await expect(run(home.path, { ...SETTINGS, epochs: 4 })).rejects.toThrow('another epochs')
  })
})

// Helpers

async function run(home: string, settings = SETTINGS) {
  const said: string[] = []
  const { signal } = new AbortController()
  const say = (line: string) => void said.push(line)
  const reports = await runCases(settings, { home, lanes: 2, engine: 'wasm', say, signal })
  return { reports, said }
}

async function writeAll(home: string): Promise<void> {
  for (const dataset of SETTINGS.datasets) {
    for (const parents of SETTINGS.parents) {
      for (const seed of SETTINGS.seeds) {
        const report = reportOf({ dataset, parents, seed })
        const [one] = report.cases
        await writeFile(join(home, `${nameOf(one!)}.json`), JSON.stringify(report))
      }
    }
  }
}

const nameOf = (of: { dataset: string; parents: number; seed: number }): string =>
  `${of.dataset}-${of.parents}-${of.seed}`

function reportOf(of: { dataset: string; parents: number; seed: number }): FusionTableReport {
  const controls = { bestParent: 0.9, worstParent: 0.7, ensemble: 0.95, proxyAlone: 0.8 }
  const tuned = { bestParentTuned: 0.92, bestParentDistilled: 0.93 }
  return {
    ...{ version: '0.1.0', engine: 'wasm', settings: {} },
    cases: [{ ...of, ...controls, ...tuned, methods: [] }],
    summary: [],
  }
}

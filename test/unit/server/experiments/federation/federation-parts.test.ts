import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { FederationGrid } from '../../../../../server/experiments/federation/federation-grid.ts'
import { federationParts } from '../../../../../server/experiments/federation/federation-parts.ts'
import { FaultPlan } from '../../../../../shared/protocol/fault-plan.ts'
import type { RunReport } from '../../../../../shared/protocol/run-report.ts'
import { installFakeGraft } from '../../../../support/fake-graft.ts'
import { roundReport, runReport } from '../../../../support/run-report.ts'
import { createTemporaryFolder } from '../../../../support/temporary-folder.ts'

const GRID: FederationGrid = {
  datasets: ['mnist'],
  partitions: ['labels:2'],
  clients: [3],
  seeds: [1, 2],
  methods: ['fedavg', 'nt'],
  rivals: { methods: ['fedavg'], tune: 'labels', publish: 'always' },
  rehearse: ['none', 'adjusted'],
  model: 'mlp:IN-16-OUT',
  images: 50,
  rounds: 1,
  localEpochs: 2,
  proxyImages: 100,
  tuneEpochs: 3,
  measures: ['published'],
  controls: true,
}

describe('federationParts', () => {
  it('should start graft simulate as a user would, by rehearsal and by tuning', async () => {
    await using graft = await installFakeGraft({})
    await using folder = await createTemporaryFolder()
    await writeReports(folder.path, [report('fedavg', 1, 0.5), report('fedavg', 2, 0.5)])
    const methods = ['fedavg', 'median', 'krum']
    const grid: FederationGrid = {
      ...GRID,
      methods: ['nt', ...methods],
      rivals: { ...GRID.rivals, methods },
    }
    for (const part of federationParts(grid, 'wasm')) await part.run(undefined, folder.path)
    const words = (await graft.starts()).map((start) => start.words.join(' '))
    const all = (controls: string) =>
      'simulate --dataset mnist --partition labels:2 --clients 3 --model mlp:784-16-10 ' +
      `--examples-per-client 50 --rounds 1 --controls ${controls} --local-epochs 2 --proxy 100`
    const labels = '--tune labels --tune-epochs 3 --publish always'
    const both = '--tune both --tune-epochs 3 --publish better'
    const first = `${all('last')} ${labels} --strategy fedavg --seeds 1,2`
    const rivals = `${all('none')} ${labels} --strategy median,krum --seeds 1,2`
    const own = `${all('none')} ${both} --strategy nt --seeds 1,2`
    const places = `--deadline 86400 --engine wasm --home ${join(folder.path, 'runs')} --json ${join(folder.path, 'reports.json')}`
    const adjusted = '--rehearse --logit-adjustment'
    expect(words.sort()).toEqual(
      [first, rivals, own]
        .flatMap((one) => [`${one} ${adjusted} ${places}`, `${one} ${places}`])
        .sort(),
    )
  })

  it('should end runs at the target only where the grid says so', async () => {
    await using graft = await installFakeGraft({})
    await using folder = await createTemporaryFolder()
    await writeReports(folder.path, [report('nt', 1, 0.5), report('nt', 2, 0.5)])
    const grid: FederationGrid = { ...GRID, methods: ['nt'], targets: { mnist: 0.95 } }
    for (const isTargetTheEnd of [true, false]) {
      const [part] = federationParts({ ...grid, isTargetTheEnd }, 'wasm')
      await part!.run(undefined, folder.path)
    }
    const words = (await graft.starts()).map((start) => start.words.join(' '))
    expect(words.map((line) => line.includes('--target 0.95')).sort()).toEqual([false, true])
  })

  it('should measure seconds and memory of one run at a time', async () => {
    await using graft = await installFakeGraft({})
    await using folder = await createTemporaryFolder()
    await writeReports(folder.path, [report('nt', 1, 0.5), report('nt', 2, 0.5)])
    for (const measures of [['roundSeconds'], ['memory'], ['published']] as const) {
      const [part] = federationParts({ ...GRID, methods: ['nt'], measures }, 'wasm')
      await part!.run(undefined, folder.path)
    }
    const words = (await graft.starts()).map((start) => start.words.join(' '))
    expect(words.map((line) => line.includes(' --parallel 1 ')).sort()).toEqual([false, true, true])
  })

  it('should publish each round of what is no rival where the grid says so', async () => {
    await using graft = await installFakeGraft({})
    await using folder = await createTemporaryFolder()
    await writeReports(folder.path, [report('nt', 1, 0.5), report('nt', 2, 0.5)])
    const [part] = federationParts({ ...GRID, methods: ['nt'], publish: 'always' }, 'wasm')
    await part!.run(undefined, folder.path)
    expect((await graft.starts())[0]!.words.join(' ')).toContain('--publish always --strategy nt ')
  })

  it('should run a strategy that needs an optimiser of its own apart', async () => {
    await using graft = await installFakeGraft({})
    await using folder = await createTemporaryFolder()
    await writeReports(folder.path, [report('scaffold', 1, 0.5), report('scaffold', 2, 0.5)])
    const grid: FederationGrid = {
      ...GRID,
      methods: ['scaffold', 'nt', 'fedavg'],
      rivals: { ...GRID.rivals, methods: ['fedavg', 'scaffold'] },
      optimizers: { scaffold: { name: 'plain-sgd', learningRate: 0.1 } },
      rehearse: ['none'],
    }
    for (const part of federationParts(grid, 'wasm')) await part.run(undefined, folder.path)
    const words = (await graft.starts()).map((start) => start.words.join(' '))
    expect(words).toHaveLength(3)
    for (const part of [
      '--tune labels --tune-epochs 3 --publish always --optimizer plain-sgd --learning-rate 0.1 --strategy scaffold ',
      '--publish better --strategy nt ',
      '--publish always --strategy fedavg ',
    ])
      expect(words).toContainEqual(expect.stringContaining(part))
  })

  it('should run each strategy undisturbed and with each plan of faults, under other names', async () => {
    await using graft = await installFakeGraft({})
    await using folder = await createTemporaryFolder()
    await writeReports(
      folder.path,
      [1, 2].map((seed) => report('nt', seed, 0.5)),
    )
    const plan: FaultPlan = { faults: [{ fault: 'corrupt', how: 'nan', probability: 0.2 }] }
    const faults = [{ name: 'broken updates', plan, quorum: 2, deadlineSeconds: 30 }]
    const grid: FederationGrid = { ...GRID, methods: ['nt'], rehearse: ['none'], faults }
    const [undisturbed, struck] = federationParts(grid, 'wasm')
    const names: string[] = []
    for (const part of [undisturbed!, struck!]) {
      const { cases } = await part.run(undefined, folder.path)
      names.push(...cases[0]!.results.map(({ method }) => method))
    }
    expect(names.filter((name) => name.startsWith('nt'))).toEqual(['nt', 'nt, broken updates'])
    expect(names.filter((name) => name.startsWith('proxy set alone'))).toHaveLength(1)
    const file = join(folder.path, 'faults.json')
    expect(FaultPlan.parse(JSON.parse(await readFile(file, 'utf8')))).toEqual(plan)
    const words = (await graft.starts()).map((start) => start.words.join(' '))
    expect(
      words.filter((line) => line.includes(`--faults ${file} --quorum 2 --deadline 30 `)),
    ).toHaveLength(1)
    expect(new Set([undisturbed!.key, struck!.key]).size).toBe(2)
  })

  it('should give strategies by seed, and controls that are tuned as the rivals are', async () => {
    await using graft = await installFakeGraft({})
    await using folder = await createTemporaryFolder()
    const [, , rivals, own] = federationParts(GRID, 'wasm')
    await writeReports(
      folder.path,
      [1, 2].map((seed) => report('fedavg', seed, 0.5)),
    )
    const { cases, engine } = await rivals!.run(undefined, folder.path)
    expect(engine).toBe('wasm')
    expect(cases.map(({ seed }) => seed)).toEqual([1, 2])
    expect(cases[1]).toMatchObject({ row: { dataset: 'mnist', partition: 'labels:2', clients: 3 } })
    const published = ({ results }: (typeof cases)[number]) =>
      results.map(({ method, values }) => [method, values['published']])
    const name = (method: string) => `${method} --rehearse --logit-adjustment`
    expect(published(cases[1]!)).toEqual([
      [name('ensemble'), 0.9],
      [name('plain average'), 0.4],
      [name('plain average + fine-tuning'), 0.8],
      [name('best parent + fine-tuning'), 0.88],
      [name('fedavg'), 0.5],
    ])
    await writeReports(
      folder.path,
      [1, 2].map((seed) => report('nt', seed, 0.6 + seed / 100)),
    )
    const fusions = await own!.run(undefined, folder.path)
    expect(published(fusions.cases[1]!)).toEqual([[name('nt'), 0.62]])
    expect(await graft.starts()).toHaveLength(2)
  })

  it('should pass on the status of a simulation that failed', async () => {
    await using graft = await installFakeGraft({ simulate: 'exit 6' })
    await using folder = await createTemporaryFolder()
    const [part] = federationParts(GRID, 'wasm')
    await expect(part!.run(undefined, folder.path)).rejects.toMatchObject({ exitStatus: 6 })
    expect(await graft.starts()).toHaveLength(1)
  })

  it('should end a simulation when it is told to', async () => {
    await using graft = await installFakeGraft({ simulate: 'listen' })
    await using folder = await createTemporaryFolder()
    const controller = new AbortController()
    const [part] = federationParts(GRID, 'wasm')
    const running = part!.run(controller.signal, folder.path)
    await graft.started(1)
    controller.abort(new Error('Ctrl-C'))
    await expect(running).rejects.toThrow('Ctrl-C')
  })
})

const report = (strategy: string, seed: number, accuracy: number): RunReport => ({
  ...runReport([roundReport()]),
  ...{ strategy, seed },
  final: { ...runReport([]).final, accuracy },
})

const writeReports = (folder: string, reports: readonly RunReport[]) =>
  writeFile(join(folder, 'reports.json'), JSON.stringify(reports))

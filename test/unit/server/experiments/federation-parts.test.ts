import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { FederationGrid } from '../../../../server/experiments/federation-grid.ts'
import { federationParts } from '../../../../server/experiments/federation-parts.ts'
import type { RunReport } from '../../../../shared/protocol/run-report.ts'
import { installFakeGraft } from '../../../support/fake-graft.ts'
import { roundReport, runReport } from '../../../support/run-report.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'

const GRID: FederationGrid = {
  datasets: ['mnist'],
  partitions: ['labels:2'],
  clients: [3],
  seeds: [1, 2],
  methods: ['fedavg', 'nt'],
  rehearse: [false, true],
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
  it('should start graft simulate as a user would, with and without rehearsal', async () => {
    await using graft = await installFakeGraft({})
    await using folder = await createTemporaryFolder()
    await writeReports(folder.path, [report('fedavg', 1, 0.5), report('fedavg', 2, 0.5)])
    for (const part of federationParts(GRID, 'wasm')) await part.run(undefined, folder.path)
    const words = (await graft.starts()).map((start) => start.words.join(' '))
    const plain =
      'simulate --dataset mnist --partition labels:2 --clients 3 --model mlp:784-16-10 ' +
      '--examples-per-client 50 --rounds 1 --local-epochs 2 --proxy 100 --tune-epochs 3 ' +
      '--strategy fedavg,nt --seeds 1,2'
    const places = `--engine wasm --home ${join(folder.path, 'runs')} --json ${join(folder.path, 'reports.json')}`
    expect(words.sort()).toEqual([`${plain} ${places}`, `${plain} --rehearse ${places}`].sort())
  })

  it('should give strategies and the controls of the first one, by seed', async () => {
    await using graft = await installFakeGraft({})
    await using folder = await createTemporaryFolder()
    const reports = [1, 2].flatMap((seed) => [
      report('fedavg', seed, 0.5),
      report('nt', seed, 0.6 + seed / 100),
    ])
    await writeReports(folder.path, reports)
    const [, rehearsed] = federationParts(GRID, 'wasm')
    const { cases, engine } = await rehearsed!.run(undefined, folder.path)
    expect(await graft.starts()).toHaveLength(1)
    expect(engine).toBe('wasm')
    expect(cases.map(({ seed }) => seed)).toEqual([1, 2])
    expect(cases[1]).toMatchObject({ row: { dataset: 'mnist', partition: 'labels:2', clients: 3 } })
    expect(cases[1]!.results.map(({ method, values }) => [method, values['published']])).toEqual([
      ['ensemble --rehearse', 0.9],
      ['plain average --rehearse', 0.4],
      ['plain average + fine-tuning --rehearse', 0.8],
      ['best parent + fine-tuning --rehearse', 0.88],
      ['fedavg --rehearse', 0.5],
      ['nt --rehearse', 0.62],
    ])
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

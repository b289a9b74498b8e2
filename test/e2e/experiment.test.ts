import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ExperimentReport } from '../../shared/protocol/experiment-report.ts'
import { ForecastReport } from '../../shared/protocol/forecast-report.ts'
import { FusionTableReport } from '../../shared/protocol/fusion-table-report.ts'
import { NetworksReport } from '../../shared/protocol/networks-report.ts'
import { runGraft } from '../support/graft-process.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

const QUICK = [
  ['experiment', 'fusion-table', '--dataset', 'mnist', '--parents', '2,3', '--seeds', '1'],
  ['--model', 'mlp:784-12-10', '--epochs', '1', '--tuned-images', '200', '--tune-epochs', '3'],
  ['--zero-shot-images', '100', '--methods', 'nt,hf-linear'],
].flat()

describe('graft experiment fusion-table', () => {
  it('should show methods beside controls, and say what a method refuses', async () => {
    await using home = await createTemporaryFolder()
    const words = [...QUICK, '--judge-on', 'unused', '--home', home.path]
    const { status, stdout, stderr } = await runGraft(words)
    expect(status, stderr).toBe(0)
    const rowOf = (name: string) => stdout.split('\n').find((line) => line.includes(`│ ${name} `))
    expect(rowOf('ensemble')).toMatch(/\d\d\.\d\d.*\d\d\.\d\d/)
    expect(rowOf('nt')).toMatch(/\d\d\.\d\d -> \d\d\.\d\d .*\d\d\.\d\d -> \d\d\.\d\d/)
    expect(rowOf('hf-linear')).toMatch(/\d\d\.\d\d -> \d\d\.\d\d .*- -> -/)
    expect(stderr).toContain('mnist, 3 parents, seed 1: ensemble')

    const again = await runGraft([...words, '--json'])
    expect(again.status, again.stderr).toBe(0)
    expect(again.stderr).toContain('mnist, 3 parents, seed 1: was done before; 2 of 2 runs')
    expect(again.stderr).not.toContain('seed 1: ensemble')
    const { cases, summary } = FusionTableReport.parse(JSON.parse(again.stdout))
    expect(cases.map(({ parents }) => parents)).toEqual([2, 3])
    expect(summary[0]!.ensemble).toBe(cases[0]!.ensemble)
  })

  it('should judge on other images when told to', async () => {
    const words = [...QUICK, '--json', '--parents', '2', '--tune-epochs', '0']
    const ensembles: number[] = []
    for (const judged of ['test', 'unused']) {
      const { status, stdout, stderr } = await runGraft([...words, '--judge-on', judged])
      expect(status, stderr).toBe(0)
      const { cases } = FusionTableReport.parse(JSON.parse(stdout))
      ensembles.push(cases[0]!.ensemble)
    }
    expect(ensembles[1]).not.toBe(ensembles[0])
  })

  it.each([
    ['5001', [], 'There are 5000 proxy images at most.'],
    ['4900', ['--judge-on', 'unused'], '100 and 4900 may leave none to judge on'],
  ])('should refuse %s proxy images before it trains anything', async (images, words, said) => {
    const { status, stderr } = await runGraft([...QUICK, '--tuned-images', images, ...words])
    expect(stderr).toContain(said)
    expect(stderr).not.toContain('seed 1: ensemble')
    expect(status).toBe(2)
  })
})

describe('graft experiment networks and forecast', () => {
  const FEW = ['--images', '60', '--epochs', '1', '--proxy-images', '60', '--tune-epochs', '1']

  it.each([
    {
      name: 'networks',
      words: ['--dataset', 'mnist', '--models', 'lenet', '--methods', 'nt,kf-linear'],
      schema: NetworksReport,
    },
    {
      name: 'forecast',
      words: ['--datasets', 'mnist', '--model', 'mlp:784-4-10', '--seeds', '1'],
      schema: ForecastReport,
    },
  ])('should write what its schema says: $name', async ({ name, words, schema }) => {
    const all = ['experiment', name, ...words, ...FEW, '--test-images', '100', '--json']
    const { status, stdout, stderr } = await runGraft(all)
    expect(status, stderr).toBe(0)
    const report: unknown = JSON.parse(stdout)
    expect(schema.parse(report)).toEqual(report)
  })
})

describe('graft experiment NAME', () => {
  const TINY = 'experiment hetero-widths --quick --seeds 1 --methods nt'.split(' ')

  it('should run a preset, go on with what is finished, and become a page', async () => {
    await using folder = await createTemporaryFolder()
    const json = join(folder.path, 'report.json')
    const words = [...TINY, '--home', join(folder.path, 'home'), '--json', json]
    const first = await runGraft(words)
    expect(first.status, first.stderr).toBe(0)
    expect(first.stdout).toMatch(/│ nt +│ +\d\d\.\d\d │/)
    const { claims, cases } = ExperimentReport.parse(JSON.parse(await readFile(json, 'utf8')))
    expect(claims.map(({ outcome }) => outcome)).not.toContain('not tested')
    expect(cases).toHaveLength(1)

    const again = await runGraft(words)
    expect(again.stderr).toContain('was done before')
    expect(again.stdout).toBe(first.stdout)

    const page = await runGraft(['experiment', 'results', folder.path])
    expect(page.status, page.stderr).toBe(0)
    expect(page.stdout).toContain(
      '| `graft experiment hetero-widths --quick --seeds 1 --methods nt` | 1 |',
    )
  })

  it('should refuse what is no report', async () => {
    const { status, stderr } = await runGraft(['experiment', 'results', 'package.json'])
    expect(stderr).toContain('package.json is no report of `graft experiment NAME --json FILE`.')
    expect(status).toBe(2)
  })
})

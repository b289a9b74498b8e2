import { describe, expect, it } from 'vitest'
import {
  type ExperimentPart,
  type ExperimentPlan,
  runExperiment,
} from '../../../../server/experiments/run-preset.ts'
import { ExperimentReport } from '../../../../shared/protocol/experiment-report.ts'
import { createTemporaryFolder } from '../../../support/temporary-folder.ts'

describe('runExperiment', () => {
  it('should report on all parts, in their order, as the schema has it', async () => {
    await using home = await createTemporaryFolder()
    const report = await runExperiment(planOf([part('a', 0.5), part('b', 0.7)]), home.path, quiet)
    expect(ExperimentReport.parse(report)).toEqual(report)
    expect(report.cases.map(({ row }) => row['part'])).toEqual(['a', 'b'])
    expect(report).toMatchObject({
      ...{ experiment: 'toy', isQuick: true, command: 'graft experiment toy', engine: 'wasm' },
      claims: [{ outcome: 'not reproduced', why: 'holds in 1 of 2 comparisons' }],
      means: [{ row: { part: 'a' } }, { row: { part: 'b' } }],
    })
  })

  it('should go on where it was cut off, without repeating what is finished', async () => {
    await using home = await createTemporaryFolder()
    const ran: string[] = []
    const failing: ExperimentPart = {
      key: 'b',
      run: () => Promise.reject(new Error('as if by Ctrl-C')),
    }
    const cut = runExperiment(planOf([part('a', 0.5, ran), failing]), home.path, quiet)
    await expect(cut).rejects.toThrow('Ctrl-C')
    const said: string[] = []
    const plan = planOf([part('a', 0.1, ran), part('b', 0.7, ran)])
    const report = await runExperiment(plan, home.path, (line) => said.push(line))
    expect(ran).toEqual(['a', 'b'])
    expect(report.cases[0]!.results[0]!.values).toEqual({ late: 0.5 })
    expect(said[0]).toContain('a: was done before')
  })

  it('should refuse a folder of another grid', async () => {
    await using home = await createTemporaryFolder()
    await runExperiment(planOf([part('a', 0.5)]), home.path, quiet)
    const other = { ...planOf([part('a', 0.5)]), grid: { seeds: [2] } }
    await expect(runExperiment(other, home.path, quiet)).rejects.toMatchObject({
      code: 'GRAFT_OPTION_INVALID',
      message: expect.stringContaining('an experiment with another seeds'),
    })
  })

  it('should keep parts apart whose names differ in signs alone', async () => {
    await using home = await createTemporaryFolder()
    const report = await runExperiment(
      planOf([part('a:1', 0.5), part('a/1', 0.7)]),
      home.path,
      quiet,
    )
    expect(report.cases.map(({ row }) => row['part'])).toEqual(['a:1', 'a/1'])
  })
})

const quiet = () => undefined

function part(key: string, late: number, ran: string[] = []): ExperimentPart {
  return {
    key,
    async run() {
      ran.push(key)
      const results = [
        { method: 'nt', values: { late } },
        { method: 'half', values: { late: 0.6 } },
      ]
      return { engine: 'wasm', cases: [{ row: { part: key }, seed: 1, results }] }
    },
  }
}

function planOf(parts: readonly ExperimentPart[]): ExperimentPlan {
  return {
    ...{ name: 'toy', summary: 'a toy', isQuick: true, engine: 'wasm', parts },
    ...{ command: 'graft experiment toy', grid: { seeds: [1] }, ownData: [], subsets: [] },
    measures: [{ name: 'late', unit: 'share' }],
    claims: [
      {
        ...{ id: 'toy', source: 'nobody', says: 'all are above 60 %' },
        comparisons: [
          {
            left: { method: 'nt', measure: 'late' },
            relation: 'above',
            right: { method: 'half', measure: 'late' },
          },
        ],
      },
    ],
  }
}

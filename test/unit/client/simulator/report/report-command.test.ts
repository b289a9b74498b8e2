import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readResults } from '../../../../../client/simulator/report/read-results.ts'
import { commandLine } from '../../../../../client/simulator/report/command-line.ts'
import { writeReport } from '../../../../../client/simulator/report/write-report.ts'
import { toStudy } from '../../../../../client/simulator/report/study.ts'
import { StudyReport } from '../../../../../shared/protocol/study-report.ts'
import { roundReport, runReport } from '../../../../support/run-report.ts'
import { studyRuns } from '../../../../support/study-runs.ts'
import {
  createTemporaryFolder,
  type TemporaryFolder,
} from '../../../../support/temporary-folder.ts'

let folder: TemporaryFolder

beforeEach(async () => {
  folder = await createTemporaryFolder()
})

afterEach(async () => {
  vi.restoreAllMocks()
  await folder[Symbol.asyncDispose]()
})

const RUNS = studyRuns({ strategies: ['fedavg', 'nt'], seeds: [1], clients: 2, rounds: 1 })

describe('a report of earlier results', () => {
  it('should read what it wrote, with the command that made it', async () => {
    await writeReport(folder.path, { command: 'graft simulate --seeds 1', runs: RUNS })
    const read = await readResults(join(folder.path, 'results.json'))
    expect(read).toMatchObject({ command: 'graft simulate --seeds 1', runs: RUNS })
  })

  it('should leave the neurons of ledgers out, but not their sums', async () => {
    const ledger = { parents: ['ada'], groups: [{ name: 'fc1', neurons: [[[0, 1, 1, null]]] }] }
    const run = runReport([roundReport({ ledger: ledger as never })])
    await writeReport(folder.path, { command: '', runs: [run] })
    const text = await readFile(join(folder.path, 'results.json'), 'utf8')
    const [round] = StudyReport.parse(JSON.parse(text)).runs[0]!.rounds
    expect(round).not.toHaveProperty('ledger')
    expect(round!.ledgerSummary?.groups).toEqual([{ name: 'fc1', neurons: 1, shares: [1] }])
  })

  it('should find the runs of a folder, and take lists', async () => {
    for (const run of RUNS) {
      const home = join(folder.path, run.strategy, 'seed-1')
      await mkdir(home, { recursive: true })
      await writeFile(join(home, 'report.json'), JSON.stringify(run))
    }
    expect((await readResults(folder.path)).runs).toEqual(RUNS)
    const list = join(folder.path, 'list.json')
    await writeFile(list, JSON.stringify(RUNS))
    expect((await readResults(list)).runs).toEqual(RUNS)
  })

  it.each([
    ['{"version":', /is not JSON/],
    ['{"version":1}', /is no results\.json and no report of a run \(version: .*--report or --json/],
    ['[]', /is no results\.json/],
  ])('should refuse %s', async (text, problem) => {
    const file = join(folder.path, 'x.json')
    await writeFile(file, text)
    await expect(readResults(file)).rejects.toThrow(problem)
  })

  it('should refuse a folder without runs', async () => {
    await expect(readResults(folder.path)).rejects.toThrow(/holds no report\.json/)
    await expect(readResults(join(folder.path, 'none'))).rejects.toThrow(/GRAFT_FILE_UNREADABLE/)
  })
})

describe('toStudy', () => {
  it('should refuse runs that differ in more than strategy and seed', () => {
    const [first, second] = RUNS as [(typeof RUNS)[0], (typeof RUNS)[0]]
    expect(() => toStudy([first, { ...second, partition: 'iid', proxy: 5 }])).toThrow(
      /these differ in partition, proxy/,
    )
    expect(() => toStudy([first, first])).toThrow(/two runs of fedavg with seed 1/)
    expect(() => toStudy([{ ...first, rounds: [] }])).toThrow(/has no round/)
  })
})

describe('commandLine', () => {
  it('should quote what a shell would take apart', () => {
    const words = ['simulate', '--strategy', 'nt:tree=joint', '--data', "anna's flowers", '$(x)']
    expect(commandLine(words)).toBe(
      `graft simulate --strategy nt:tree=joint --data 'anna'\\''s flowers' '$(x)'`,
    )
  })
})

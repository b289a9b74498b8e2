import { PassThrough } from 'node:stream'
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createReportFile, giveReport } from '../../../../server/report/report-file.ts'
import { jsonText } from '../../../../shared/command/write-json.ts'
import { RunReport } from '../../../../shared/protocol/run-report.ts'
import { roundReport, runReport } from '../../../support/run-report.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../../support/temporary-folder.ts'

const LEDGER = { parents: ['ada', 'bob'], groups: [] } as never

let folder: TemporaryFolder
let path: string

beforeEach(async () => {
  folder = await createTemporaryFolder()
  path = join(folder.path, 'report.json')
})
afterEach(() => folder[Symbol.asyncDispose]())

/** Each run ends with the model of its newest round. */
const reportOf = (round: ReturnType<typeof roundReport>): RunReport => ({
  ...runReport([round]),
  final: { ...runReport([]).final, accuracy: round.published.accuracy },
})

const roundOf = (round: number, more: object = { ledger: LEDGER }) => {
  const published = { ...roundReport().published, accuracy: round / 10, reason: `é ${round}` }
  return roundReport({ round, published, ...more })
}

describe('createReportFile', () => {
  it('should leave after each round what the whole report would be, written at once', async () => {
    await writeFile(path, 'of an earlier process')
    await using file = createReportFile(path, reportOf)
    expect(file.written()).toBeNull()
    for (const count of [1, 2, 3]) {
      const newest = roundOf(count)
      await file.add(newest)
      const older = Array.from({ length: count - 1 }, (_, index) => roundOf(index + 1, {}))
      const whole = { ...reportOf(newest), rounds: [...older, newest] }
      expect(await readFile(path, 'utf8')).toBe(jsonText(RunReport.parse(whole)))
      expect(file.written()).toBe(path)
    }
    expect(await readdir(folder.path)).toEqual(['report.json'])
  })

  it('should refuse a round that JSON would falsify, naming the place, and keep what is there', async () => {
    await using file = createReportFile(path, reportOf)
    await file.add(roundOf(1))
    const before = await readFile(path, 'utf8')
    const spoilt = { ...roundOf(2), fused: { accuracy: 0.9, loss: NaN } }
    await expect(file.add(spoilt)).rejects.toThrow(
      /The report of round 2 is wrong at fused\.loss.*GRAFT_INTERNAL/,
    )
    expect(await readFile(path, 'utf8')).toBe(before)
    await file.add(roundOf(2))
    expect(RunReport.parse(JSON.parse(await readFile(path, 'utf8'))).rounds).toHaveLength(2)
  })

  it('should be whole again when somebody has taken the file away', async () => {
    await using file = createReportFile(path, reportOf)
    await file.add(roundOf(1))
    await rename(path, join(folder.path, 'mine.json'))
    await file.add(roundOf(2))
    await rm(path)
    await file.add(roundOf(3))
    const { rounds } = RunReport.parse(JSON.parse(await readFile(path, 'utf8')))
    expect(rounds.map(({ round }) => round)).toEqual([1, 2, 3])
  })

  it('should say what is wrong with a folder that is not there', async () => {
    await using file = createReportFile(join(folder.path, 'nowhere', 'report.json'), reportOf)
    await expect(file.add(roundOf(1))).rejects.toThrow('GRAFT_FILE_UNREADABLE')
    expect(file.written()).toBeNull()
  })
})

describe('giveReport', () => {
  it('should give the same bytes to a file or to stdout', async () => {
    await using file = createReportFile(path, reportOf)
    await file.add(roundOf(1))
    const target = join(folder.path, 'mine.json')
    await giveReport(path, target)
    const stdout = new PassThrough()
    await giveReport(path, true, stdout)
    stdout.end()
    const report = await readFile(path, 'utf8')
    expect(await readFile(target, 'utf8')).toBe(report)
    expect(await text(stdout)).toBe(report)
  })
})

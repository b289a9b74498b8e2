import { constants, createReadStream } from 'node:fs'
import { appendFile, copyFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { jsonText } from '../../shared/command/write-json.ts'
import { GraftError, orGraftError } from '../../shared/errors.ts'
import { type RoundReport, RunReport } from '../../shared/protocol/run-report.ts'
import { syncFile } from '../store/files.ts'

/** A run's report on disk, whole after each round. Earlier rounds are in the file alone, of however many clients they were. */
export interface ReportFile {
  /** Null as long as no round was added. */
  readonly written: () => string | null
  /**
   * Adds a round; the one before loses its ledger, which is most of a round's report, and of every round in the store.
   *
   * @throws GraftError GRAFT_INTERNAL when the round breaks its schema: JSON would turn NaN into null without a word;
   *   GRAFT_FILE_UNREADABLE, GRAFT_DISK_FULL. The file is then as it was.
   */
  add(round: RoundReport): Promise<void>
}

/**
 * @param path what is there already is replaced by the first round
 * @param reportOf the report if this were the only round
 */
export function createReportFile(
  path: string,
  reportOf: (round: RoundReport) => RunReport,
): ReportFile {
  const draft = `${path}.tmp`
  let newest: RoundReport | null = null
  /** Length of what stays, up to the newest round. */
  let settledBytes = 0

  return {
    written: () => (newest === null ? null : path),

    async add(round) {
      const report = checked(reportOf(round))
      const [head, tail] = aroundRounds(report)
      const settled = newest === null ? head : `${roundText(withoutLedger(newest))},\n`
      const [added] = report.rounds
      await orGraftError(async () => {
        try {
          if (newest === null) await writeFile(draft, '')
          else {
            await copyFile(path, draft, constants.COPYFILE_FICLONE)
            await truncate(draft, settledBytes)
          }
          await appendFile(draft, `${settled}${roundText(added!)}${tail}`)
          await syncFile(draft)
          await rename(draft, path)
        } catch (error) {
          await rm(draft, { force: true })
          throw error
        }
      })
      settledBytes += Buffer.byteLength(settled)
      newest = added!
    },
  }
}

/**
 * Gives a report to where `--json [FILE]` says: `true` is stdout. A file appears complete or not at all.
 * @throws GraftError GRAFT_FILE_UNREADABLE, GRAFT_DISK_FULL
 */
export async function giveReport(
  path: string,
  target: string | true,
  stdout: NodeJS.WritableStream = process.stdout,
): Promise<void> {
  if (target === true) return pipeline(createReadStream(path), stdout, { end: false })
  const draft = `${target}.tmp`
  await orGraftError(async () => {
    try {
      await copyFile(path, draft)
      await rename(draft, target)
    } catch (error) {
      await rm(draft, { force: true })
      throw error
    }
  })
}

function checked(report: RunReport): RunReport {
  const parsed = RunReport.safeParse(report)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(({ path, message }) => {
    const place = path[0] === 'rounds' ? path.slice(2) : path
    return `${place.join('.')}: ${message}`
  })
  const problem = `The report of round ${report.rounds[0]?.round} is wrong at ${faults.join('; ')}.`
  throw new GraftError('GRAFT_INTERNAL', problem)
}

const NO_ROUNDS = '"rounds": []'

/** What is before the first round and behind the last one; of settings `rounds` is a number. */
function aroundRounds(report: RunReport): [string, string] {
  const [head = '', tail = ''] = jsonText({ ...report, rounds: [] }).split(NO_ROUNDS)
  return [`${head}"rounds": [\n`, `\n  ]${tail}`]
}

/** As it stands in a list of an object. */
const roundText = (round: RoundReport): string =>
  jsonText(round).trimEnd().replace(/^/gm, ' '.repeat(4))

function withoutLedger(round: RoundReport): RoundReport {
  const { ledger, ...report } = round
  return ledger === undefined ? round : report
}

import { createReadStream } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { jsonText } from '../../shared/command/write-json.ts'
import { GraftError, orGraftError } from '../../shared/errors.ts'
import { type RoundReport, RunReport } from '../../shared/protocol/run-report.ts'
import { copyWhole } from '../store/files.ts'

/** A run's report on disk, whole after each round. Earlier rounds are in the file alone, of however many clients they were. */
export interface ReportFile extends AsyncDisposable {
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
  /** Of what was written last: whoever moves the file or removes it meanwhile takes nothing from the next. */
  let last: FileHandle | null = null

  async function write(text: string): Promise<void> {
    const next = await open(draft, 'w+')
    try {
      if (last !== null) await copyStart(last, next, settledBytes)
      await next.writeFile(text)
      await next.sync()
      await rename(draft, path)
    } catch (error) {
      await next.close()
      await rm(draft, { force: true })
      throw error
    }
    await last?.close()
    last = next
  }

  return {
    written: () => (newest === null ? null : path),

    async add(round) {
      const report = checked(reportOf(round))
      const [head, tail] = aroundRounds(report)
      const settled = newest === null ? head : `${roundText(withoutLedger(newest))},\n`
      const [added] = report.rounds
      await orGraftError(() => write(`${settled}${roundText(added!)}${tail}`))
      settledBytes += Buffer.byteLength(settled)
      newest = added!
    },

    async [Symbol.asyncDispose]() {
      await last?.close()
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
  await orGraftError(() => copyWhole(path, target))
}

/** Copies the first bytes of a file to the end of another. */
async function copyStart(from: FileHandle, to: FileHandle, bytes: number): Promise<void> {
  const piece = new Uint8Array(Math.min(bytes, PIECE_BYTES))
  for (let at = 0; at < bytes;) {
    const { bytesRead } = await from.read(piece, 0, Math.min(piece.length, bytes - at), at)
    if (bytesRead === 0) throw new Error('a report has become shorter while it was open')
    await to.writeFile(piece.subarray(0, bytesRead))
    at += bytesRead
  }
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

/** That are copied at once. */
const PIECE_BYTES = 1 << 20
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

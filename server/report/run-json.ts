import type { TextStream } from '../../shared/command/text-stream.ts'
import { writeJson } from '../../shared/command/write-json.ts'
import { GraftError } from '../../shared/errors.ts'
import { RunReport } from '../../shared/protocol/run-report.ts'

/**
 * Writes a run's report where `--json [FILE]` says: `true` is stdout; a file appears complete or not at all.
 * Checked first, since JSON would turn NaN into null without a word.
 *
 * @throws GraftError GRAFT_INTERNAL when the report breaks its schema; GRAFT_FILE_UNREADABLE, GRAFT_DISK_FULL
 */
export async function writeRunJson(
  report: RunReport,
  target: string | true,
  stdout: TextStream = process.stdout,
): Promise<void> {
  const parsed = RunReport.safeParse(report)
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    throw new GraftError('GRAFT_INTERNAL', `The run report is wrong at ${faults.join('; ')}.`)
  }
  await writeJson(parsed.data, target, stdout)
}

import { access, constants, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { writeJson } from '../../../shared/command/write-json.ts'
import { orGraftError } from '../../../shared/errors.ts'
import { GRAFT_VERSION } from '../../../shared/protocol/graft-version.ts'
import type { RunReport } from '../../../shared/protocol/run-report.ts'
import type { StudyReport } from '../../../shared/protocol/study-report.ts'
import { summariseLedger } from '../../../shared/protocol/summarise-ledger.ts'
import { reportPage } from './page.ts'
import { resultsCsv } from './results-csv.ts'
import { toStudy } from './study.ts'

/** Makes the folder before hours of work that end in it. @throws GraftError GRAFT_FILE_UNREADABLE, GRAFT_DISK_FULL */
export async function claimReportFolder(folder: string): Promise<void> {
  await orGraftError(async () => {
    await mkdir(folder, { recursive: true })
    await access(folder, constants.W_OK)
  })
}

/**
 * Writes `index.html`, `results.json` and `results.csv`, each complete or not at all.
 *
 * @param command as it was typed
 * @returns where the page is
 * @throws GraftError GRAFT_OPTION_INVALID when the runs cannot be compared; GRAFT_FILE_UNREADABLE, GRAFT_DISK_FULL
 */
export async function writeReport(
  folder: string,
  { command, runs }: { readonly command: string; readonly runs: readonly RunReport[] },
): Promise<string> {
  const study = toStudy(runs)
  const report: StudyReport = {
    version: GRAFT_VERSION,
    command,
    madeAt: new Date().toISOString(),
    runs: runs.map(withoutNeurons),
  }
  const page = join(folder, 'index.html')
  await claimReportFolder(folder)
  await writeJson(report, join(folder, 'results.json'))
  await orGraftError(async () => {
    await writeFileAtomic(join(folder, 'results.csv'), resultsCsv(study))
    await writeFileAtomic(page, reportPage(report, study))
  })
  return page
}

/** Ledgers of single neurons are most of a report, and the sums are all that is shown. */
function withoutNeurons({ rounds, ...run }: RunReport): RunReport {
  return {
    ...run,
    rounds: rounds.map(({ ledger, ...round }) => ({
      ...(ledger && { ledgerSummary: summariseLedger(ledger) }),
      ...round,
    })),
  }
}

import { z } from 'zod'
import { RunReport } from './run-report.ts'

/**
 * `results.json` of a report: every run of a study, in the order in which they are shown. Runs are as `--json`
 * writes them, but without the ledgers of single neurons, which only their own reports hold.
 */
export const StudyReport = z
  .strictObject({
    version: z.string().describe('of Graft, which wrote this report'),
    command: z.string().describe('what made this report, as it was typed'),
    madeAt: z.iso.datetime().describe('when'),
    runs: z
      .array(RunReport)
      .min(1)
      .describe('as `--json` writes them, without the ledgers of single neurons'),
  })
  .meta({ title: 'Graft study report' })
export type StudyReport = z.infer<typeof StudyReport>

import { GraftError } from '../../../shared/errors.ts'
import type { ExperimentReport } from '../../../shared/protocol/experiment-report.ts'
import { rowText } from '../format-value.ts'
import { outcomeOf } from '../judge-claims.ts'
import { rowKey } from '../summarise.ts'

/** What several runs of an experiment show together. */
export type CombinedReport = Pick<
  ExperimentReport,
  'experiment' | 'summary' | 'isQuick' | 'subsets' | 'seeds' | 'measures' | 'means' | 'claims'
>

/**
 * Puts runs of one experiment together, which was run data set by data set or partition by partition: each claim is
 * judged by all of them. In full and quick apart.
 *
 * @returns in the order of the first of each
 * @throws GraftError GRAFT_OPTION_INVALID for a row that two runs have
 */
export function combineReports(reports: readonly ExperimentReport[]): CombinedReport[] {
  const groups = new Map<string, ExperimentReport[]>()
  for (const report of reports) {
    const { experiment, isQuick, measures } = report
    const key = JSON.stringify([experiment, isQuick, measures])
    groups.set(key, [...(groups.get(key) ?? []), report])
  }
  return [...groups.values()].map(combine)
}

function combine(reports: ExperimentReport[]): CombinedReport {
  assertOtherRows(reports)
  const { experiment, summary, isQuick, measures, claims } = reports[0]!
  const unique = <Value>(of: (report: ExperimentReport) => readonly Value[]) => [
    ...new Set(reports.flatMap(of)),
  ]
  return {
    ...{ experiment, summary, isQuick, measures },
    subsets: unique((report) => report.subsets),
    seeds: unique((report) => report.seeds).sort((a, b) => a - b),
    means: reports.flatMap(({ means }) => means),
    claims: claims.map((claim) => {
      const own = reports.flatMap((report) => report.claims.filter(({ id }) => id === claim.id))
      const findings = own.flatMap((one) => one.findings)
      return { ...claim, ...outcomeOf(findings, claim.why), findings }
    }),
  }
}

function assertOtherRows(reports: readonly ExperimentReport[]): void {
  const seen = new Map<string, string>()
  for (const { experiment, command, means } of reports) {
    for (const { row } of means) {
      const before = seen.get(rowKey(row))
      if (before !== undefined) {
        const problem = `${rowText(row)} of ${experiment} is in two reports, of \`${before}\` and \`${command}\`; give one.`
        throw new GraftError('GRAFT_OPTION_INVALID', problem)
      }
      seen.set(rowKey(row), command)
    }
  }
}

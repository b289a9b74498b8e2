import {
  type ExperimentReport,
  OUTCOMES,
  type SummaryRow,
} from '../../../shared/protocol/experiment-report.ts'
import { formatStatistic, measureHead, rowText } from '../format-value.ts'
import type { Preset } from '../preset.ts'
import { combineReports, type CombinedReport } from './combine-reports.ts'

/**
 * RESULTS.md: what was claimed and what came of it, then the tables of every run, in Markdown.
 *
 * @param presets all there are, in the order of the page; claims of those without a report are not tested
 */
export function resultsPage(
  reports: readonly ExperimentReport[],
  presets: readonly Pick<Preset, 'name' | 'claims'>[],
): string {
  const ordered = presets.flatMap(({ name }) =>
    reports.filter(({ experiment }) => experiment === name),
  )
  const combined = combineReports(ordered)
  const missing = presets.filter(({ name }) => !ordered.some((one) => one.experiment === name))
  return [
    '# Results',
    'Made by `npm run results` from the JSON of real runs in `results/`; do not edit. Each run says how much of the data it',
    'saw: the quick ones are small networks on few images, so a claim that fails there may hold at full size, and the other',
    'way round. In the name of a model, IN and OUT are the inputs and classes of the data.',
    ...claimsSection(combined, missing),
    ...runsSection(ordered),
    ...combined.flatMap(experimentSection),
  ].join('\n')
}

function claimsSection(
  reports: readonly CombinedReport[],
  missing: readonly Pick<Preset, 'name' | 'claims'>[],
): string[] {
  const tested = reports.flatMap(({ experiment, claims }) =>
    claims.map(({ outcome, says, source, why }) => ({ experiment, outcome, says, source, why })),
  )
  const untested = missing.flatMap(({ name, claims }) =>
    claims.map(({ says, source }) => ({
      ...{ experiment: name, outcome: 'not tested' as const, says, source },
      why: `there is no run of \`${name}\` yet`,
    })),
  )
  const all = [...tested, ...untested]
  const counts = OUTCOMES.map(
    (outcome) => `${all.filter((claim) => claim.outcome === outcome).length} ${outcome}`,
  )
  return [
    '\n## Claims\n',
    `${all.length} claims: ${counts.join(', ')}. A comparison holds when the mean of the differences over the seeds has the right`,
    'sign and is further from its bound than its standard error; a claim is reproduced when all comparisons that could be made',
    'hold. Where a side is the best of several methods, that is a choice by the test set.\n',
    tableOf(
      ['claim', 'source', 'outcome', 'why', 'experiment'],
      all.map(({ says, source, outcome, why, experiment }) => [
        says,
        source,
        outcome === 'not reproduced' ? `**${outcome}**` : outcome,
        why,
        `\`${experiment}\``,
      ]),
    ),
  ]
}

function runsSection(reports: readonly ExperimentReport[]): string[] {
  return [
    '\n## Runs\n',
    tableOf(
      ['command', 'seeds', 'engine', 'cores', 'Graft', 'Node.js', 'minutes'],
      reports.map((report) => [
        `\`${report.command}\``,
        report.seeds.join(', '),
        report.engine,
        String(report.cores),
        report.version,
        report.node,
        (report.seconds / 60).toFixed(1),
      ]),
    ),
    '\nMinutes are wall clock, on a machine that did other work beside.',
  ]
}

function experimentSection(report: CombinedReport): string[] {
  const { experiment, summary, isQuick, subsets, means, claims } = report
  const findings = claims.flatMap(({ says, outcome, findings }) => [
    `- ${outcome}: ${says}`,
    ...findings.map(({ row, says: said, holds }) => {
      const verdict = holds === null ? 'not decided' : holds ? 'holds' : 'fails'
      return `  - ${verdict}: ${rowText(row)}: ${said}`
    }),
  ])
  return [
    `\n## ${experiment}${isQuick ? ', quick' : ''}\n`,
    `${summary}. Images used: ${subsets.join('; ')}. Means${report.seeds.length > 1 ? ' ± standard deviations' : ''} over seeds ${report.seeds.join(', ')}.`,
    ...means.flatMap((row) => [`\n${rowText(row.row)}:\n`, summaryTable(row, report)]),
    ...(findings.length > 0 ? ['\n<details><summary>Comparisons</summary>\n'] : []),
    ...findings,
    ...(findings.length > 0 ? ['\n</details>'] : []),
  ]
}

function summaryTable({ methods }: SummaryRow, { measures }: CombinedReport): string {
  const notes = methods.flatMap(({ method, note }) =>
    note === undefined ? [] : [`\n\`${method}\`: ${note}`],
  )
  const table = tableOf(
    ['', ...measures.map(measureHead)],
    methods.map(({ method, values }) => [
      method,
      ...measures.map(({ name, unit }) => formatStatistic(values[name], unit)),
    ]),
  )
  return [table, ...notes].join('\n')
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}

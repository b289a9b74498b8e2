import type { AttackResult } from './attack.ts'
import type { TallyRow } from './tally.ts'
import type { Check } from './verdict.ts'

/** What `--json` writes. */
export function reportOf(seed: number, result: AttackResult, checks: readonly Check[]) {
  const samples = result.watches.flatMap(({ samples }) => samples)
  return {
    seed,
    isOk: checks.every(({ isOk }) => isOk),
    seconds: Number(result.seconds.toFixed(1)),
    peakRssMb: samples.at(-1)?.peakRssMb ?? 0,
    finalRssMb: samples.at(-1)?.residentMb ?? 0,
    checks,
    messages: [...result.messages.rows.values()],
    updates: [...result.files.rows.values()],
    violations: [...result.messages.violations, ...result.files.violations],
    audit: result.leftBehind.audit,
    memory: result.watches.map(({ stage, samples }) => ({
      stage,
      samples: samples.map(({ sent, residentMb, heapMb }) => ({ sent, residentMb, heapMb })),
    })),
  }
}
export type Report = ReturnType<typeof reportOf>

export function printReport(report: Report, print: (line: string) => void): void {
  printRows('messages', report.messages, print)
  printRows('updates', report.updates, print)
  print('')
  for (const { invariant, isOk, detail } of report.checks) {
    print(`${isOk ? 'ok  ' : 'FAIL'}  ${invariant}: ${detail}`)
  }
  for (const { detail } of report.violations) print(`  ${detail}`)
  print('')
  print(
    `peak memory ${report.peakRssMb.toFixed(0)} MiB, at the end ${report.finalRssMb.toFixed(0)} MiB`,
  )
  const verdict = report.isOk ? 'every invariant held' : 'BROKEN'
  print(`seed ${report.seed}, ${report.seconds.toFixed(0)} s: ${verdict}`)
}

function printRows(what: string, rows: readonly TallyRow[], print: (line: string) => void): void {
  const total = rows.reduce((sum, { sent }) => sum + sent, 0)
  const width = Math.max(20, ...rows.map(({ group, name }) => group.length + name.length + 2))
  print('')
  print(`${`${total} ${what}`.padEnd(width)}     sent  slowest  outcomes`)
  for (const { group, name, sent, slowestMs, outcomes } of rows.toSorted(byGroup)) {
    const shown = Object.entries(outcomes)
      .sort(([, a], [, b]) => b - a)
      .map(([outcome, count]) => `${outcome} ${count}`)
    const numbers = `${String(sent).padStart(9)}${`${slowestMs.toFixed(0)} ms`.padStart(9)}`
    print(`${`${group}: ${name}`.padEnd(width)}${numbers}  ${shown.join(', ')}`)
  }
}

const byGroup = (a: TallyRow, b: TallyRow): number =>
  a.group < b.group ? -1 : a.group > b.group ? 1 : a.name < b.name ? -1 : 1

import { readFileSync } from 'node:fs'

/** What is resident, the most that was, and which part of the first are pages of program files. */
export type StatusField = 'VmRSS' | 'VmHWM' | 'RssFile'

/** Memory of a process in bytes, as Linux counts it; NaN elsewhere, and of a process that has ended. */
export function statusBytes(field: StatusField, pid = process.pid): number {
  const [, kibibytes] = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(statusOf(pid)) ?? []
  return Number(kibibytes) * 1024
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return ''
  }
}

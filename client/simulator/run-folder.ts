import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

/** A new folder `runs/<command>-<local time>`, numbered where two runs begin in the same second. */
export function newRunFolder(command: string, now = new Date()): string {
  const stamp = new Date(now.getTime() - now.getTimezoneOffset() * 60_000)
    .toISOString()
    .slice(0, 19)
    .replace('T', '-')
    .replaceAll(':', '')
  mkdirSync('runs', { recursive: true })
  for (let attempt = 1; ; attempt++) {
    const folder = join('runs', `${command}-${stamp}${attempt === 1 ? '' : `-${attempt}`}`)
    try {
      mkdirSync(folder)
      return folder
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Where Vite puts the console of this installation: `dist/dashboard` beside the first package.json at or above `start`. Compiled
 * code lies one folder deeper than the sources.
 */
export function findConsoleFolder(start: string = import.meta.dirname): string {
  const parent = dirname(start)
  if (existsSync(join(start, 'package.json')) || parent === start) {
    return join(start, 'dist', 'dashboard')
  }
  return findConsoleFolder(parent)
}

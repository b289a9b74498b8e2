import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GraftError } from '../errors.ts'
import { readJson } from './read-json.ts'

/**
 * Says in a folder what it is of, so that the same command goes on there and another one does not mix with it.
 *
 * @param kind what the folder holds
 * @param settings what all runs in the folder have in common, JSON
 * @throws GraftError GRAFT_OPTION_INVALID naming what differs from what the folder holds
 */
export async function claimFolder(
  folder: string,
  kind: 'simulation' | 'experiment',
  settings: Readonly<Record<string, unknown>>,
): Promise<void> {
  const file = join(folder, `${kind}.json`)
  const held = await readJson(file)
  if (held === undefined) {
    await mkdir(folder, { recursive: true })
    await writeFile(file, `${JSON.stringify(settings, null, 2)}\n`)
    return
  }
  const before = held as Readonly<Record<string, unknown>>
  const keys = new Set([...Object.keys(before), ...Object.keys(settings)])
  const changed = [...keys].filter(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(settings[key]),
  )
  if (changed.length === 0) return
  const article = kind === 'experiment' ? 'an' : 'a'
  throw new GraftError(
    'GRAFT_OPTION_INVALID',
    `${folder} holds ${article} ${kind} with another ${changed.join(', ')}; name another folder, or give the same.`,
  )
}

import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheFolder } from '../../shared/cache-folder.ts'

/**
 * The join token of every simulation of this user, kept in the user's cache. A client's name belongs to
 * the token it joined with, so with a new token each time no run could go on, nor share a database.
 *
 * @returns a token for this time only where the cache cannot be written
 */
export async function simulationToken(folder = cacheFolder()): Promise<string> {
  const file = join(folder, 'simulation-token')
  const kept = await read(file)
  if (kept !== null) return kept
  const token = randomBytes(24).toString('base64url')
  const draft = `${file}.${process.pid}`
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(draft, token, { mode: 0o600 })
    await link(draft, file)
    return token
  } catch {
    // Another simulation was faster, or nothing can be kept here.
    return (await read(file)) ?? token
  } finally {
    await rm(draft, { force: true }).catch(() => undefined)
  }
}

async function read(file: string): Promise<string | null> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return /^[\w-]{32}$/.test(text) ? text : null
}

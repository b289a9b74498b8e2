import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'

export interface FillOptions {
  /** Name of the last file written: a folder without it never counts as filled. */
  readonly marker: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Lets `fill` write a new folder beside `folder` and moves it into place when all of it is there, so
 * that a failed or killed attempt never counts, and of two at once the first to finish wins.
 *
 * @param fill writes into the folder it is given; what it returns goes into the marker, as JSON
 */
export async function fillFolder(
  folder: string,
  { marker, signal }: FillOptions,
  fill: (staging: string) => Promise<unknown>,
): Promise<void> {
  const parent = dirname(folder)
  await mkdir(parent, { recursive: true })
  await removeAbandoned(parent)
  const staging = await mkdtemp(join(parent, `${STAGING}${hostname()}-${process.pid}-`))
  try {
    const made = await fill(staging)
    signal?.throwIfAborted()
    await writeFile(join(staging, marker), JSON.stringify(made))
    // A cache may be shared: others read what mkdtemp made for this user alone.
    await chmod(staging, 0o755)
    await moveInto(staging, folder, marker)
  } finally {
    // What was aborted may still be writing a last file.
    await rm(staging, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Whether a whole folder lies at `folder`. */
export function isFilled(folder: string, marker: string): boolean {
  return existsSync(join(folder, marker))
}

const STAGING = '.building-'

async function moveInto(staging: string, folder: string, marker: string): Promise<void> {
  try {
    await rename(staging, folder)
  } catch {
    // Another process was faster, and what it made is as good.
    if (isFilled(folder, marker)) return
    // A folder without the marker is nobody's: a rename never leaves one, but a hand may.
    await rm(folder, { recursive: true, force: true })
    await rename(staging, folder)
  }
}

/** Removes what processes on this machine left behind when they were killed. */
async function removeAbandoned(parent: string): Promise<void> {
  const prefix = `${STAGING}${hostname()}-`
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue
    const pid = Number.parseInt(name.slice(prefix.length), 10)
    if (!isRunning(pid)) await rm(join(parent, name), { recursive: true, force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // EPERM: it runs, as another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

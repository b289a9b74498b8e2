import { link, open, readFile, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type ErrorCode, GraftError, toGraftError } from '../../shared/errors.ts'
import { isErrno } from './files.ts'

export interface FolderLock {
  release(): Promise<void>
}

/**
 * Locks of this process. A lock file that names our own pid but is not in here was left by a process
 * that died with the same pid, as happens in every container, where the first process is always pid 1.
 */
const held = new Set<string>()

/**
 * Takes the lock file `file`, which holds the pid of its owner. A file whose owner is dead is taken over.
 *
 * @param what names what is locked in the error message
 * @param code of the error when another has it
 * @throws GraftError `code` naming the pid that has it; GRAFT_DISK_FULL, GRAFT_FILE_UNREADABLE
 */
export async function lockFolder(
  file: string,
  what: string,
  code: ErrorCode = 'GRAFT_DATABASE_BUSY',
): Promise<FolderLock> {
  const path = resolve(file)
  const busy = (pid: number | 'unknown') =>
    new GraftError(code, `${what} is in use by process ${pid}.`)
  // Reserved before the first await, so that two calls in one process cannot both go on.
  if (held.has(path)) throw busy(process.pid)
  held.add(path)
  try {
    await takeLock(path, busy)
  } catch (error) {
    held.delete(path)
    throw toGraftError(error)
  }
  let isHeld = true
  return {
    release: async () => {
      // A second release must not free what someone else has locked since.
      if (!isHeld) return
      isHeld = false
      await rm(path, { force: true })
      held.delete(path)
    },
  }
}

async function takeLock(
  path: string,
  busy: (pid: number | 'unknown') => GraftError,
): Promise<void> {
  if (await create(path)) return
  const owner = await readOwner(path)
  if (owner !== null && owner !== process.pid && isAlive(owner)) throw busy(owner)
  await removeStale(path, owner)
  if (await create(path)) return
  // Another process found the same stale file and was faster.
  throw busy((await readOwner(path)) ?? 'unknown')
}

/** Writes the pid before the file gets its name, so no one ever reads an empty lock file. */
async function create(path: string): Promise<boolean> {
  const draft = `${path}.${process.pid}`
  const file = await open(draft, 'w')
  try {
    await file.writeFile(`${process.pid}\n`)
    await file.close()
    await link(draft, path)
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

/**
 * Renaming is atomic: of two processes that saw the same stale file, one moves it away. If the other
 * then moves the new owner's file, it sees that by the pid and puts the file back.
 */
async function removeStale(path: string, owner: number | null): Promise<void> {
  const moved = `${path}.stale.${process.pid}`
  try {
    await rename(path, moved)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return
    throw error
  }
  if ((await readOwner(moved)) !== owner) {
    await link(moved, path).catch((error: unknown) => {
      // A third process has locked meanwhile: then that one is the owner.
      if (!isErrno(error, 'EEXIST')) throw error
    })
  }
  await rm(moved, { force: true })
}

/** @returns null when there is no file, or it holds no pid: then nobody can be asked to let go of it */
async function readOwner(path: string): Promise<number | null> {
  try {
    const pid = Number((await readFile(path, 'utf8')).trim())
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    // Signal 0 is never delivered; the call only checks that the process exists.
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it exists and belongs to someone else.
    return !isErrno(error, 'ESRCH')
  }
}

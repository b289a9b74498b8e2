import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { orGraftError } from '../../shared/errors.ts'
import { type FolderLock, lockFolder } from './folder-lock.ts'

/**
 * Keeps other coordinators out of a home folder, which is made when it is not there.
 *
 * @throws GraftError GRAFT_HOME_BUSY naming the process that has it
 */
export async function lockHome(home: string): Promise<FolderLock> {
  await orGraftError(() => mkdir(home, { recursive: true }))
  return lockFolder(join(home, 'coordinator.lock'), `The folder ${home}`, 'GRAFT_HOME_BUSY')
}

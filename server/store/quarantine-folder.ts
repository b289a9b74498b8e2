import { constants } from 'node:fs'
import { copyFile, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { orGraftError } from '../../shared/errors.ts'
import { isErrno, moveFile } from './files.ts'
import { isOf, type QuarantineFiles } from './quarantine-files.ts'

/** A folder of this machine, or one that several share; it is made when something is put there. */
export function openQuarantineFolder(folder: string): QuarantineFiles {
  const pathOf = (name: string): string => join(folder, basename(name))

  /** Lets `write` make a file, which has its name once it is whole. */
  async function put(name: string, write: (draft: string) => Promise<void>): Promise<void> {
    const draft = join(folder, `${basename(name)}.draft`)
    await orGraftError(async () => {
      await mkdir(folder, { recursive: true })
      await write(draft)
      await rename(draft, pathOf(name))
    })
  }

  return {
    async move(path, name) {
      await put(name, (draft) => moveFile(path, draft))
      // Behind a move to another file system it is still there.
      await orGraftError(() => rm(path, { force: true }))
    },

    copy: (path, name) => put(name, (draft) => copyFile(path, draft, constants.COPYFILE_FICLONE)),

    list: (client) =>
      orGraftError(async () => {
        const names = (await namesIn(folder)).filter((name) => isOf(name, client))
        return Promise.all(
          names.map(async (name) => {
            const { size, mtime } = await stat(pathOf(name))
            return { name, sizeBytes: size, at: mtime }
          }),
        )
      }),

    read: (name) => orGraftError(() => readFile(pathOf(name))),

    remove: (name) => orGraftError(() => rm(pathOf(name), { force: true })),
  }
}

/** A folder that nothing was put in yet is not there. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}

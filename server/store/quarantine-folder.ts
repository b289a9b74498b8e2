import { constants } from 'node:fs'
import { copyFile, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { orGraftError } from '../../shared/errors.ts'
import { ownerOf, type QuarantineFiles } from './quarantine-files.ts'

/** A folder of this machine, or one that several share; it is made when something is put there. */
export function openQuarantineFolder(folder: string): QuarantineFiles {
  const pathOf = (name: string): string => join(folder, basename(name))

  async function move(path: string, name: string): Promise<void> {
    await orGraftError(async () => {
      await mkdir(folder, { recursive: true })
      await rename(path, pathOf(name))
    })
  }

  return {
    move,

    async copy(path, name) {
      const draft = join(folder, `${basename(name)}.copy`)
      await orGraftError(async () => {
        await mkdir(folder, { recursive: true })
        await copyFile(path, draft, constants.COPYFILE_FICLONE)
      })
      await move(draft, name)
    },

    list: () =>
      orGraftError(async () => {
        const names = (await namesIn(folder)).filter((name) => ownerOf(name) !== null)
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
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

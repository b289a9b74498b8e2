import { readdir, stat, statfs } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/** What this machine lets one process have, bytes. */
export interface Capacity {
  /** Of the machine, or of the cgroup that limits this process. */
  readonly memory: number
  /** Free on the disk of the folder, for who is not root. */
  readonly disk: number
  /** Of the run already, as of one that goes on. */
  readonly stored: number
}

/**
 * @param folder whose disk it is; need not be there yet
 * @param own folders that have nothing but files of the run; the same
 */
export async function measureCapacity(folder: string, own: readonly string[]): Promise<Capacity> {
  // 0 or more than there is where nothing limits it.
  const limit = process.constrainedMemory()
  const memory = limit > 0 ? Math.min(limit, totalmem()) : totalmem()
  const { bavail, bsize } = await statfs(await nearest(resolve(folder)))
  const sizes = await Promise.all([...new Set(own.map((each) => resolve(each)))].map(sizeOf))
  return { memory, disk: bavail * bsize, stored: sizes.reduce((sum, size) => sum + size, 0) }
}

/** The folder, or the first above it that is there. */
async function nearest(folder: string): Promise<string> {
  const isThere = await stat(folder).then(
    () => true,
    () => false,
  )
  return isThere || dirname(folder) === folder ? folder : nearest(dirname(folder))
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async ({ parentPath, name }) =>
        // Gone meanwhile: no bytes.
        stat(join(parentPath, name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface Migration {
  /** Folder name, `<timestamp>_<name>`: also the order. */
  readonly name: string
  readonly sql: string
  /** Hex SHA-256 of the file, as Prisma writes it into `_prisma_migrations`. */
  readonly checksum: string
}

/** Reads every `<folder>/<name>/migration.sql`, in the order they are to be applied. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return Promise.all(
    names.sort().map(async (name) => {
      const bytes = await readFile(join(folder, name, 'migration.sql'))
      const checksum = createHash('sha256').update(bytes).digest('hex')
      return { name, sql: bytes.toString('utf8'), checksum }
    }),
  )
}

/**
 * The folder `prisma/migrations` of this installation: the first one at or above `start`. Compiled code
 * lies one folder deeper (dist/) than the sources, so no fixed number of `..` finds it from both.
 */
export function findMigrationsFolder(start: string = import.meta.dirname): string {
  const candidate = join(start, 'prisma', 'migrations')
  if (existsSync(candidate)) return candidate
  const parent = dirname(start)
  if (parent === start) throw new Error('prisma/migrations is missing from this installation.')
  return findMigrationsFolder(parent)
}

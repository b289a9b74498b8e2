import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { PrismaPGlite } from 'pglite-prisma-adapter'
import { GraftError, toGraftError } from '../../shared/errors.ts'
import type { Database } from './database.ts'
import { lockFolder } from './folder-lock.ts'

/**
 * PostgreSQL compiled to WebAssembly, in `<folder>/db`, inside this process. PGlite itself does not
 * notice a second process that writes the same files, so a lock file beside them keeps others out.
 *
 * @throws GraftError GRAFT_DATABASE_BUSY, GRAFT_DATABASE_UNAVAILABLE, GRAFT_DISK_FULL
 */
export async function openEmbeddedDatabase(folder: string): Promise<Database> {
  const dataDir = join(folder, 'db')
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw toGraftError(error)
  })
  const lock = await lockFolder(join(folder, 'db.lock'), `The embedded database in ${dataDir}`)
  let pglite: PGlite
  try {
    pglite = await PGlite.create({ dataDir })
    // Both adapters write times without a zone and read them as UTC.
    await pglite.exec(`SET TIME ZONE 'UTC'`)
  } catch (error) {
    await lock.release()
    const reason = error instanceof Error ? error.message : String(error)
    throw new GraftError(
      'GRAFT_DATABASE_UNAVAILABLE',
      `The embedded database in ${dataDir} does not open: ${reason}.`,
      { cause: error },
    )
  }
  return {
    description: `PGlite in ${dataDir}`,
    adapter: new PrismaPGlite(pglite),
    withSession: (use) =>
      use({
        query: async (sql, values) =>
          (await pglite.query<Record<string, unknown>>(sql, [...(values ?? [])])).rows,
        execute: async (script) => {
          await pglite.exec(script)
        },
      }),
    close: async () => {
      try {
        await pglite.close()
      } finally {
        await lock.release()
      }
    },
  }
}

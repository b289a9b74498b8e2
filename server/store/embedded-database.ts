import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { PrismaPGlite } from 'pglite-prisma-adapter'
import { GraftError, toGraftError } from '../../shared/errors.ts'
import type { Database } from './database.ts'
import { toDatabaseError } from './database-error.ts'
import { copyTemplate, dropTemplate } from './database-template.ts'
import { lockFolder } from './folder-lock.ts'

/**
 * PostgreSQL compiled to WebAssembly, in `<folder>/db`, inside this process. PGlite itself does not
 * notice a second process that writes the same files, so a lock file beside them keeps others out.
 *
 * A database that was not finished, by a full disk or a killed process, is removed: PGlite would take it
 * for one, and never start again.
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
    pglite = await openOrMake(dataDir)
  } catch (error) {
    await lock.release()
    const known = toDatabaseError(error, `The embedded database in ${dataDir}`)
    if (known instanceof GraftError) throw known
    const reason = error instanceof Error ? error.message : JSON.stringify(error)
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
    // The lock file beside the database keeps every other process out.
    breakLock: async () => false,
    tryLock: async () => ({ broken: new Promise(() => undefined), release: async () => undefined }),
    close: async () => {
      try {
        await pglite.close()
      } finally {
        await lock.release()
      }
    },
  }
}

/** The marker lies beside the database from before its first file until it has been opened once. */
async function openOrMake(dataDir: string): Promise<PGlite> {
  const marker = `${dataDir}.unfinished`
  const isUnfinished = await exists(marker)
  const isNew = isUnfinished || !(await exists(dataDir))
  if (isUnfinished) await rm(dataDir, { recursive: true, force: true })
  try {
    if (isNew) await writeFile(marker, '')
    const pglite = isNew ? await make(dataDir) : await PGlite.create({ dataDir })
    // Both adapters write times without a zone and read them as UTC.
    await pglite.exec(`SET TIME ZONE 'UTC'`)
    await rm(marker, { force: true })
    return pglite
  } catch (error) {
    if (isNew) {
      await rm(dataDir, { recursive: true, force: true })
      await rm(marker, { force: true })
    }
    throw error
  }
}

/** From the template in this user's cache; where none can be kept or it does not open, as PGlite does it. */
async function make(dataDir: string): Promise<PGlite> {
  try {
    await copyTemplate(dataDir)
    return await PGlite.create({ dataDir })
  } catch {
    await dropTemplate().catch(() => undefined)
    await rm(dataDir, { recursive: true, force: true })
    return PGlite.create({ dataDir })
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

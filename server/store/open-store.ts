import { applyMigrations } from './apply-migrations.ts'
import { toDatabaseError } from './database-error.ts'
import { openEmbeddedDatabase } from './embedded-database.ts'
import { findMigrationsFolder, readMigrations } from './find-migrations.ts'
import { openPostgresDatabase } from './postgres-database.ts'
import { createPrismaStore } from './prisma-store.ts'
import type { Store } from './store.ts'

export interface StoreOptions {
  /** PostgreSQL server; undefined takes the embedded database. */
  readonly databaseUrl: string | undefined
  /** Home of the coordinator; the embedded database lies in `<folder>/db`. */
  readonly folder: string
}

/**
 * Opens the store and brings its tables up to date. The caller closes it.
 *
 * @throws GraftError GRAFT_DATABASE_UNAVAILABLE, GRAFT_DATABASE_BUSY, GRAFT_DATABASE_INCOMPATIBLE
 */
export async function openStore({ databaseUrl, folder }: StoreOptions): Promise<Store> {
  const database =
    databaseUrl === undefined
      ? await openEmbeddedDatabase(folder)
      : await openPostgresDatabase(databaseUrl)
  try {
    const migrations = await readMigrations(findMigrationsFolder())
    await database.withSession((session) => applyMigrations(session, migrations))
    return createPrismaStore(database)
  } catch (error) {
    await database.close()
    throw toDatabaseError(error, database.description)
  }
}

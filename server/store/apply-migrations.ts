import { randomUUID } from 'node:crypto'
import { GraftError } from '../../shared/errors.ts'
import type { Migration } from './find-migrations.ts'

/** One connection, kept for the whole of the migration: the advisory lock belongs to it. */
export interface SqlSession {
  query(sql: string, values?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>
  /** Runs several statements, without parameters. */
  execute(script: string): Promise<void>
}

interface AppliedMigration {
  readonly name: string
  readonly checksum: string
  readonly isFinished: boolean
}

/** The lock `prisma migrate deploy` takes (schema-engine, sql-schema-connector), so both wait for each other. */
const ADVISORY_LOCK = 72707369

/** How long to wait for another process that is migrating. */
const LOCK_TIMEOUT = '15s'

/** As Prisma's schema engine creates it, so that `prisma migrate` reads and continues it. */
const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  "id" VARCHAR(36) PRIMARY KEY NOT NULL,
  "checksum" VARCHAR(64) NOT NULL,
  "finished_at" TIMESTAMPTZ,
  "migration_name" VARCHAR(255) NOT NULL,
  "logs" TEXT,
  "rolled_back_at" TIMESTAMPTZ,
  "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(),
  "applied_steps_count" INTEGER NOT NULL DEFAULT 0
)`

/**
 * Brings a database to the newest migration: each in a transaction of its own together with its row in
 * `_prisma_migrations`, under an advisory lock, so that several coordinators may start at once.
 *
 * @returns names of the migrations applied now
 * @throws GraftError GRAFT_DATABASE_INCOMPATIBLE when the database was migrated by other files than these
 */
export async function applyMigrations(
  session: SqlSession,
  migrations: readonly Migration[],
): Promise<string[]> {
  await session.execute(`SET lock_timeout = '${LOCK_TIMEOUT}'`)
  await session.query(`SELECT pg_advisory_lock(${ADVISORY_LOCK})`)
  try {
    await session.execute(CREATE_TABLE)
    const applied = await readApplied(session)
    const pending = selectPending(migrations, applied)
    for (const migration of pending) await applyOne(session, migration)
    return pending.map((migration) => migration.name)
  } finally {
    await session.query(`SELECT pg_advisory_unlock(${ADVISORY_LOCK})`)
    await session.execute('RESET lock_timeout')
  }
}

async function readApplied(session: SqlSession): Promise<AppliedMigration[]> {
  const rows = await session.query(
    `SELECT "migration_name", "checksum", "finished_at" FROM "_prisma_migrations"
     WHERE "rolled_back_at" IS NULL ORDER BY "migration_name"`,
  )
  return rows.map((row) => ({
    name: String(row['migration_name']),
    checksum: String(row['checksum']),
    isFinished: row['finished_at'] !== null,
  }))
}

function selectPending(
  migrations: readonly Migration[],
  applied: readonly AppliedMigration[],
): Migration[] {
  const known = new Map(migrations.map((migration) => [migration.name, migration]))
  for (const { name, checksum, isFinished } of applied) {
    const file = known.get(name)
    if (file === undefined) {
      throw incompatible(`It has the migration ${name}, which this version of Graft does not know.`)
    }
    if (!isFinished) throw incompatible(`Its migration ${name} began and never finished.`)
    if (file.checksum !== checksum) {
      const difference = `SHA-256 ${short(checksum)} there, ${short(file.checksum)} here`
      throw incompatible(`Its migration ${name} was made by another file (${difference}).`)
    }
  }
  const done = new Set(applied.map(({ name }) => name))
  return migrations.filter(({ name }) => !done.has(name))
}

async function applyOne(session: SqlSession, { name, sql, checksum }: Migration): Promise<void> {
  await session.execute('BEGIN')
  try {
    await session.execute(sql)
    await session.query(
      `INSERT INTO "_prisma_migrations"
         ("id", "checksum", "finished_at", "migration_name", "applied_steps_count")
       VALUES ($1, $2, now(), $3, 1)`,
      [randomUUID(), checksum, name],
    )
    await session.execute('COMMIT')
  } catch (error) {
    await session.execute('ROLLBACK')
    throw error
  }
}

function incompatible(problem: string): GraftError {
  return new GraftError('GRAFT_DATABASE_INCOMPATIBLE', `The database does not fit. ${problem}`)
}

function short(checksum: string): string {
  return checksum.slice(0, 8)
}

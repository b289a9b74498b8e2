import { createHash } from 'node:crypto'
import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { applyMigrations, type SqlSession } from '../../../../server/store/apply-migrations.ts'
import type { Migration } from '../../../../server/store/find-migrations.ts'

describe('applyMigrations', () => {
  let pglite: PGlite
  let session: SqlSession

  beforeAll(async () => {
    pglite = await PGlite.create()
    session = {
      query: async (sql, values) => (await pglite.query<never>(sql, [...(values ?? [])])).rows,
      execute: async (script) => {
        await pglite.exec(script)
      },
    }
  })

  beforeEach(async () => {
    await pglite.exec('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  })

  afterAll(() => pglite.close())

  it('should apply what is new, in order, and nothing twice', async () => {
    const [a, b] = [aMigration('1_a', 'CREATE TABLE a ()'), aMigration('2_b', 'DROP TABLE a')]

    expect(await applyMigrations(session, [a])).toEqual(['1_a'])
    expect(await applyMigrations(session, [a, b])).toEqual(['2_b'])
    expect(await applyMigrations(session, [a, b])).toEqual([])
  })

  it('should write the rows that `prisma migrate deploy` would', async () => {
    const migration = aMigration('1_a', 'CREATE TABLE a (); CREATE TABLE b ()')
    await applyMigrations(session, [migration])

    const rows = await session.query('SELECT * FROM "_prisma_migrations"')
    expect(rows).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        checksum: createHash('sha256').update(migration.sql).digest('hex'),
        finished_at: expect.any(Date),
        migration_name: '1_a',
        logs: null,
        rolled_back_at: null,
        started_at: expect.any(Date),
        applied_steps_count: 1,
      },
    ])
  })

  it('should leave nothing of a migration that fails, and keep those before it', async () => {
    const good = aMigration('1_a', 'CREATE TABLE a ()')
    const bad = aMigration('2_b', 'CREATE TABLE b (); SELECT * FROM nowhere')

    await expect(applyMigrations(session, [good, bad])).rejects.toThrow('nowhere')
    expect(await tables()).toEqual(['_prisma_migrations', 'a'])
    const fixed = aMigration('2_b', 'CREATE TABLE b ()')
    expect(await applyMigrations(session, [good, fixed])).toEqual(['2_b'])
  })

  it('should refuse a database that another file made', async () => {
    await applyMigrations(session, [aMigration('1_a', 'CREATE TABLE a ()')])
    const changed = aMigration('1_a', 'CREATE TABLE a (b INT)')

    await expect(applyMigrations(session, [changed])).rejects.toThrow(
      /1_a was made by another file \(SHA-256 \w{8} there, \w{8} here\).*GRAFT_DATABASE_INCOMPATIBLE/,
    )
  })

  it('should refuse a database of a newer version', async () => {
    const [a, b] = [aMigration('1_a', ''), aMigration('2_b', 'CREATE TABLE b ()')]
    await applyMigrations(session, [a, b])

    await expect(applyMigrations(session, [a])).rejects.toThrow(
      /2_b, which this version .* not know/,
    )
  })

  it('should refuse a migration that Prisma began and never finished, unless rolled back', async () => {
    const migration = aMigration('1_a', 'CREATE TABLE a ()')
    await applyMigrations(session, [])
    await pglite.exec(
      `INSERT INTO "_prisma_migrations" (id, checksum, migration_name) VALUES ('x', 'y', '1_a')`,
    )
    await expect(applyMigrations(session, [migration])).rejects.toThrow('never finished')

    await pglite.exec('UPDATE "_prisma_migrations" SET rolled_back_at = now()')
    expect(await applyMigrations(session, [migration])).toEqual(['1_a'])
  })

  it('should let go of its lock, also after a failure', async () => {
    const locks = `SELECT * FROM pg_locks WHERE locktype = 'advisory'`
    await applyMigrations(session, [])
    expect(await session.query(locks)).toEqual([])

    await expect(applyMigrations(session, [aMigration('1_a', 'oops')])).rejects.toThrow('oops')
    expect(await session.query(locks)).toEqual([])
  })

  async function tables(): Promise<unknown[]> {
    const rows = await session.query(
      `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`,
    )
    return rows.map((row) => row['table_name'])
  }
})

function aMigration(name: string, sql: string): Migration {
  return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
}

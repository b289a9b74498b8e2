import { existsSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { openEmbeddedDatabase } from '../../server/store/embedded-database.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

describe('template of embedded databases', () => {
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  /** Opens a new database, and says whether it has the table that was put into the template. */
  const hasMark = async (folder: string): Promise<boolean> => {
    const database = await openEmbeddedDatabase(folder)
    const rows = await database.withSession((session) =>
      session.query(`SELECT to_regclass('mark') IS NOT NULL AS "is_there"`),
    )
    await database.close()
    return rows[0]!['is_there'] as boolean
  }
  const kept = async (cache: string): Promise<string> => {
    const [name] = await readdir(join(cache, 'databases'))
    return join(cache, 'databases', name!, 'cluster')
  }

  it('should be made once, and what is written to a copy should not get into it', async () => {
    await using root = await createTemporaryFolder()
    const cache = join(root.path, 'cache')
    vi.stubEnv('GRAFT_CACHE', cache)

    expect(await hasMark(join(root.path, 'first'))).toBe(false)
    const template = await PGlite.create({ dataDir: await kept(cache) })
    await template.exec('CREATE TABLE mark ()')
    await template.close()

    expect(await hasMark(join(root.path, 'second'))).toBe(true)
    const second = await openEmbeddedDatabase(join(root.path, 'second'))
    await second.withSession((session) => session.execute('DROP TABLE mark'))
    await second.close()
    expect(await hasMark(join(root.path, 'second'))).toBe(false)
    expect(await hasMark(join(root.path, 'third'))).toBe(true)
  })

  it('should be done without, and dropped, when a copy of it does not open', async () => {
    await using root = await createTemporaryFolder()
    const cache = join(root.path, 'cache')
    vi.stubEnv('GRAFT_CACHE', cache)
    await hasMark(join(root.path, 'first'))
    const template = await kept(cache)
    await writeFile(join(template, 'global', 'pg_control'), 'damaged')

    expect(await hasMark(join(root.path, 'second'))).toBe(false)
    expect(existsSync(template)).toBe(false)
  })

  it('should be done without where the cache cannot be written', async () => {
    await using root = await createTemporaryFolder()
    vi.stubEnv('GRAFT_CACHE', import.meta.filename)

    expect(await hasMark(join(root.path, 'first'))).toBe(false)
  })
})
